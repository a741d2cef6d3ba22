/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request and its answer, for those in this folder who speak protocols above HTTP. */
#pragma once

#include "snapshotter/transport/http.h"
#include "snapshotter/transport/paced-stream.h"
#include "snapshotter/transport/resuming-stream.h"

G_BEGIN_DECLS

typedef struct {
	const char *method; /* (nullable): GET */
	const char *url;
	const char *const *headers; /* (nullable): name, value, name, value, …, NULL */
	const char *content_type;   /* of the body */
	GBytes *body;		    /* (nullable): may be sent several times */
	GInputStream *body_stream;  /* (nullable): instead of @body; sent once, never again */
	goffset body_size;	    /* of @body_stream */
	goffset range_start;	    /* above 0: only what is from there on */
	gboolean once;		    /* no retries: to find out whether somebody is there */
	gboolean confidential;	    /* the body is for this origin alone: no redirect elsewhere */
} CamHttpRequest;

typedef struct {
	guint status;
	char *url;	     /* after redirects */
	gboolean elsewhere;  /* another origin answered than the one that was asked */
	GHashTable *headers; /* names in lower case; a repeated one joined with ", " */
	GInputStream *body;
} CamHttpResponse;

void cam_http_response_free(CamHttpResponse *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CamHttpResponse, cam_http_response_free)

/* (nullable); @name in lower case */
const char *cam_http_response_get_header(const CamHttpResponse *self, const char *name);

/* The rest of the body, at most @max_size bytes, else RESOURCE_EXHAUSTED. */
GBytes *cam_http_response_read(CamHttpResponse *self, gsize max_size, GCancellable *cancellable,
			       GError **error);

/* Always FALSE: the error that stands for the status; @what says what failed, @detail (nullable)
 * what the server said. */
gboolean cam_http_status_error(guint status, const char *what, const char *detail, GError **error);

/* Whether @host ("localhost", "127.0.0.1:5000", "[::1]") is a loopback address by its very name:
 * what goes there in plain text crosses no network. */
gboolean cam_http_host_is_this_machine(const char *host);

/* How slow servers may be, instead of the usual: an answer must begin within pace->window after the
 * request, or after that many milliseconds' worth of an upload, and go on at pace->min_rate. */
void cam_http_client_set_pace(CamHttpClient *self, const CamPace *pace);

/* Whether cam_http_client_new_public() made it. */
gboolean cam_http_client_is_public(CamHttpClient *self);

/* A client that takes any certificate and may be redirected from https to http. */
CamHttpClient *cam_http_client_new_insecure(void);

/* (nullable) NULL only where there is no answer at all. Every status is an answer. */
CamHttpResponse *cam_http_client_send(CamHttpClient *self, const CamHttpRequest *request,
				      GCancellable *cancellable, GError **error);

/* The body of an answer to a GET with @range_start, brought to that byte whatever the server made
 * of the range; takes the body out of @response. */
GInputStream *cam_http_response_steal_body_at(CamHttpResponse *response, goffset range_start,
					      GCancellable *cancellable, GError **error);

G_END_DECLS
