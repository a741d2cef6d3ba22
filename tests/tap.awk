# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Counts the individual results of one test program's TAP output.
#
#   awk -v name=NAME -v status=EXIT -f tap.awk OUTPUT
#
# Prints one line "count PASSED FAILED SKIPPED", and before it a line for people for each failure
# and each skip. A program that dies, or that reports fewer results than it planned, has one
# failure more: silence is never success.
function told(line) {
	sub(/^(not )?ok *[0-9]* *(- *)?/, "", line)
	return line
}
/^1\.\.0 *# *[Ss][Kk][Ii][Pp]/ {
	line = $0
	sub(/^1\.\.0 *# *[Ss][Kk][Ii][Pp][^ ]* */, "", line)
	print "skipped: " name ": " line
	skipped++
	planned = 0
	next
}
/^1\.\.[0-9]+/ { planned = substr($1, 4) + 0; has_plan = 1 }
/^not ok/ { failed++; print "FAILED: " name ": " told($0); next }
/^ok/ && tolower($0) ~ /# *skip/ { skipped++; print "skipped: " name ": " told($0); next }
/^ok/ { passed++ }
/^Bail out!/ { bailed = 1 }
END {
	results = passed + failed
	if (has_plan && results + skipped < planned) {
		failed++
		print "FAILED: " name ": ended after " results + skipped " of " planned \
			" results (exit status " status ")"
	} else if ((status != 0 || bailed) && failed == 0) {
		failed++
		print "FAILED: " name ": exit status " status
	} else if (results + skipped == 0) {
		failed++
		print "FAILED: " name ": reported no result"
	}
	printf "count %d %d %d\n", passed, failed, skipped
}
