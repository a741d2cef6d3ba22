/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshotter/oci/digest.h"

#include <string.h>

#include "snapshotter/oci/error.h"

#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC   "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void
test_grammar(void)
{
	static const char *const bad[] = {
		"",
		"sha256",
		"sha256:",
		":e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"md5:d41d8cd98f00b204e9800998ecf8427e",
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8555",
		"sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
		"sha256:../../../../../../../../../../../../../../../../../../../etc/passw",
		"SHA256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		EMPTY "\n",
	};

	g_assert_true(cam_digest_is_valid(EMPTY));
	g_assert_false(cam_digest_is_valid(NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(cam_digest_check(bad[i], &error));
		g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
	}
	g_assert_cmpstr(cam_digest_hex(EMPTY), ==, EMPTY + 7);
}

static void
test_values(void)
{
	g_autofree char *empty = cam_digest_for_data("", 0);
	g_autofree char *abc = cam_digest_for_data("abc", 3);
	g_autofree char *back = NULL;
	g_autofree char *long_digest = NULL;
	g_autoptr(CamHasher) hasher = NULL;
	CamSha256 raw;
	g_autoptr(GError) error = NULL;

	g_assert_cmpstr(empty, ==, EMPTY);
	g_assert_cmpstr(abc, ==, ABC);
	g_assert_true(cam_digest_to_sha256(ABC, &raw, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(raw.bytes[0], ==, 0xba);
	back = cam_sha256_to_digest(&raw);
	g_assert_cmpstr(back, ==, ABC);
	g_assert_false(cam_sha256_from_hex("00", &raw));

	long_digest = g_strconcat("sha512:", ABC + 7, ABC + 7, NULL);
	hasher = cam_hasher_new_for(long_digest, &error);
	g_assert_no_error(error);
	g_assert_false(cam_digest_to_sha256(long_digest, &raw, &error));
	g_assert_error(error, CAM_ERROR, (int) CAM_ERROR_INVALID_ARGUMENT);
	cam_hasher_update(hasher, "ab", 2);
	cam_hasher_update(hasher, "c", 1);
	g_free(back);
	back = cam_hasher_finish(hasher);
	g_assert_cmpstr(back, ==,
			"sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
			"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

/* ChainID(A, B) = digest(ChainID(A) + " " + B), by sha256sum. */
static void
test_chain_id(void)
{
	g_autofree char *one = cam_chain_id(NULL, EMPTY);
	g_autofree char *two = cam_chain_id(one, ABC);
	g_autofree char *expected =
		g_compute_checksum_for_string(G_CHECKSUM_SHA256, EMPTY " " ABC, -1);

	g_assert_cmpstr(one, ==, EMPTY);
	g_assert_cmpstr(cam_digest_hex(two), ==, expected);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/oci/digest/grammar", test_grammar);
	g_test_add_func("/oci/digest/values", test_values);
	g_test_add_func("/oci/digest/chain-id", test_chain_id);
	return g_test_run();
}
