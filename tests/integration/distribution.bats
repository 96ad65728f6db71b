#!/usr/bin/env bats
# as: root, user
# sanitizers: thorough
#
# What a registry may answer, and what hull makes of it: docs/distribution.md is made of these tests'
# names. The registry is tests/tools/fake-registry, which answers as it is told.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers

setup() {
	setup_test
	requires program=python3
	[ -e "${HULL%/*}/libexec/hull/hull-fetch" ] || skip "needs hull-fetch beside hull"
	DATA=$WORK/data
	RULES=$WORK/rules
	NOTES=$WORK/notes
	export HOME=$WORK/home
	mkdir -p "$HOME"
	free_port
	REGISTRY=127.0.0.1:$port
	: >"$RULES"
	: >"$NOTES"
	in_background python3 "$SOURCE/tests/tools/fake-registry" "$port" "$HULL_IMAGE" "$RULES" "$NOTES"
	wait_for 20 listens
	# The image's manifest and its one layer.
	manifest=$(jq -r '.manifests[0].digest' "$HULL_IMAGE/index.json")
	layer=$(jq -r '.layers[0].digest' "$HULL_IMAGE/blobs/sha256/${manifest#*:}")
}

teardown() {
	rm -rf "$DATA" 2>/dev/null || true
	teardown_test
}

listens() { (exec 5<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

do_() {
	local want=$1
	shift
	expect "$want" --data-root "$DATA" "$@"
}

# rules LINE...: what the registry answers from now on, see tests/tools/fake-registry.
rules() {
	printf '%s\n' "$@" >"$RULES"
	: >"$NOTES"
}
# pull STATUS [OPTION...], push STATUS [OPTION...]
pull() { do_ "$1" pull --tls-verify=false "${@:2}" "$REGISTRY/team/tool:1"; }
push() { do_ "$1" push --tls-verify=false "${@:2}" hull/busybox "$REGISTRY/team/tool:1"; }
# asked N METHOD PATTERN: how often it was asked so
asked() { [ "$(grep -Ec "^$2 $3" "$NOTES")" = "$1" ] || { cat "$NOTES"; return 1; }; }
# After a failed pull: no image, and a store that is whole.
nothing_came() {
	do_ 0 images -q
	stdout_is ""
	do_ 0 fsck
}
# refused STATUS...: each status for METHOD and PATTERN fails the push with the number in one sentence
push_refused() {
	local method=$1 pattern=$2 code
	for code in "${@:3}"; do
		rules "9 $method $pattern $code"
		push 1
		stderr_has "hull: push $REGISTRY/team/tool:1: "
		stderr_has "HTTP $code"
		[ "$(wc -l <<<"$stderr")" = 1 ]
	done
}

@test "manifest 200: by tag, and by digest" {
	pull 0
	do_ 0 inspect "$REGISTRY/team/tool:1"
	[ "$(jq -r '.[0].Digest' <<<"$stdout")" = "$manifest" ]
	do_ 0 pull --tls-verify=false "$REGISTRY/team/tool@$manifest"
	asked 1 GET "/v2/team/tool/manifests/$manifest 200"
	do_ 0 run --rm --network none --pull never "$REGISTRY/team/tool:1" true
}

@test "manifest 200 with something else than its digest says" {
	rules "1 GET /manifests/sha256 wrong"
	do_ 1 pull --tls-verify=false "$REGISTRY/team/tool@$manifest"
	stderr_has "the registry's answer for $manifest is something else (sha256:"
	nothing_came
}

@test "manifest 200 with what is no manifest" {
	rules "1 GET /manifests/1 wrong"
	pull 1
	stderr_has "hull: pull $REGISTRY/team/tool:1: "
	nothing_came
}

@test "manifest 400, 404, 403: said with the number, and not asked again" {
	for code in 400 404 403; do
		rules "9 GET /manifests/ $code"
		pull 1
		stderr_has "hull: pull $REGISTRY/team/tool:1: $REGISTRY/team/tool: "
		stderr_has "(HTTP $code)" || stderr_has "HTTP $code"
		asked 1 GET "/v2/team/tool/manifests/1 $code"
	done
	nothing_came
}

@test "manifest 401 without a challenge, and with one that is not known" {
	rules "9 GET /manifests/ 401"
	pull 1
	stderr_has "$REGISTRY asks for credentials without saying which"
	rules "9 GET /manifests/ 401 WWW-Authenticate=Digest+realm=\"x\""
	pull 1
	stderr_has "hull: pull $REGISTRY/team/tool:1: "
	nothing_came
}

@test "manifest 401 Basic: the credentials are sent once they are asked for" {
	rules "1 GET /manifests/ 401 WWW-Authenticate=Basic+realm=\"x\""
	pull 0 --creds me:secret
	[ "$(sed -n 1p "$NOTES")" = "GET /v2/team/tool/manifests/1 401 - -" ]
	[ "$(sed -n 2p "$NOTES")" = "GET /v2/team/tool/manifests/1 200 - Basic_bWU6c2VjcmV0" ]
}

@test "manifest 401 Basic, twice: the credentials are refused" {
	rules "2 GET /manifests/ 401 WWW-Authenticate=Basic+realm=\"x\""
	pull 1 --creds me:secret
	stderr_has "$REGISTRY: the credentials are refused (HTTP 401)"
	nothing_came
}

@test "manifest 429 and 503: asked again, until it is served" {
	rules "1 GET /manifests/ 429" "1 GET /manifests/ 503"
	pull 0
	asked 1 GET "/v2/team/tool/manifests/1 429"
	asked 1 GET "/v2/team/tool/manifests/1 503"
	asked 1 GET "/v2/team/tool/manifests/1 200"
}

@test "manifest 429 and 500 that stay: four times asked, then said" {
	rules "9 GET /manifests/ 429"
	pull 1
	stderr_has "$REGISTRY: too many requests (HTTP 429); try later, or with credentials"
	asked 4 GET "/v2/team/tool/manifests/1 429"
	rules "9 GET /manifests/ 500"
	pull 1
	stderr_has "HTTP 500"
	asked 4 GET "/v2/team/tool/manifests/1 500"
	nothing_came
}

@test "Retry-After: so long it is waited; longer than a minute, it is said" {
	rules "1 GET /manifests/ 429 Retry-After=3"
	local before=${EPOCHREALTIME/./}
	pull 0
	[ $((${EPOCHREALTIME/./} - before)) -ge 3000000 ]
	do_ 0 rmi "$REGISTRY/team/tool:1"
	rules "9 GET /manifests/ 429 Retry-After=3600"
	pull 1
	stderr_has "HTTP 429"
	asked 1 GET "/v2/team/tool/manifests/1 429"
}

@test "manifest and blob 301, 302, 307, 308: what they lead to" {
	local code
	for code in 301 302 307 308; do
		rules "1 GET ^/v2/team/tool/manifests/ $code Location=/v2/elsewhere/manifests/1" \
			"9 GET ^/v2/team/tool/blobs/ $code Location=http://$REGISTRY/v2/elsewhere/blobs/$layer"
		do_ 0 prune
		pull 1 # the configuration's blob is led to the layer, and that is seen
		stderr_has "sha256:"
		rules "1 GET ^/v2/team/tool/manifests/ $code Location=/v2/elsewhere/manifests/1" \
			"1 GET ^/v2/team/tool/blobs/$layer $code Location=http://$REGISTRY/v2/elsewhere/blobs/$layer"
		do_ 0 prune
		pull 0
		asked 1 GET "/v2/elsewhere/manifests/1 200"
		asked 1 GET "/v2/elsewhere/blobs/$layer 200"
		do_ 0 rmi "$REGISTRY/team/tool:1"
	done
}

@test "a redirect to another host gets no credentials" {
	rules "1 GET ^/v2/team/tool/blobs/$layer 401 WWW-Authenticate=Basic+realm=\"x\"" \
		"1 GET ^/v2/team/tool/blobs/$layer 307 Location=http://localhost:$port/v2/elsewhere/blobs/$layer"
	pull 0 --creds me:secret
	grep -q "^GET /v2/team/tool/blobs/$layer 307 - Basic_" "$NOTES"
	grep -q "^GET /v2/elsewhere/blobs/$layer 200 - -\$" "$NOTES"
}

@test "a redirect to another host, which asks for credentials: it gets none" {
	local challenge
	for challenge in "Bearer+realm=\"http://localhost:$port/token\"" "Basic+realm=\"x\""; do
		rules "9 GET ^/v2/team/tool/blobs/$layer 307 Location=http://localhost:$port/v2/elsewhere/blobs/$layer" \
			"9 GET ^/v2/elsewhere/ 401 WWW-Authenticate=$challenge" "9 GET ^/token 200"
		pull 1 --creds me:secret
		stderr_has "$REGISTRY leads to another host, which asks for credentials (HTTP 401)"
		! grep -q 'Basic_' "$NOTES" || false
		! grep -q '/token' "$NOTES" || false
	done
	nothing_came
}

@test "redirects without an end" {
	rules "99 GET /manifests/ 307 Location=/v2/team/tool/manifests/1"
	pull 1
	stderr_has "edirects"
	nothing_came
}

@test "blob 200 with what is not its digest, is too short, or too long" {
	local how
	for how in wrong short long; do
		rules "9 GET /blobs/$layer $how"
		pull 1 --quiet
		stderr_has "$layer"
		[ "$(wc -l <<<"$stderr")" = 1 ]
		nothing_came
		do_ 0 prune
	done
}

@test "blob 206: a connection that ends goes on where it was" {
	rules "1 GET /blobs/$layer cut=5000" "1 GET /blobs/$layer cut=7000"
	pull 0
	grep -q "^GET /v2/team/tool/blobs/$layer 206 bytes=5000- " "$NOTES"
	grep -q "^GET /v2/team/tool/blobs/$layer 206 bytes=12000- " "$NOTES"
	do_ 0 fsck
}

@test "blob 200 in place of 206: what has come already is passed over" {
	rules "1 GET /blobs/$layer cut=5000" "1 GET /blobs/$layer whole"
	pull 0
	grep -q "^GET /v2/team/tool/blobs/$layer 200 bytes=5000- " "$NOTES"
	do_ 0 fsck
}

@test "blobs are fetched at the same time, and those that came are not fetched again" {
	local config
	config=$(jq -r .config.digest "$HULL_IMAGE/blobs/sha256/${manifest#*:}")
	# It is asked for first, and is there last.
	rules "1 GET /blobs/$config slow"
	pull 0
	wait_for 10 grep -q "^GET .*/blobs/$config 200" "$NOTES"
	[ "$(grep -n "^GET .*/blobs/$layer 200" "$NOTES" | cut -d: -f1)" -lt "$(grep -n "^GET .*/blobs/$config 200" "$NOTES" | cut -d: -f1)" ]
	do_ 0 rmi "$REGISTRY/team/tool:1"
	do_ 0 prune
	# A second later the other one has come.
	rules "1 GET /blobs/$layer 503 Retry-After=1" "9 GET /blobs/$layer 404"
	pull 1
	asked 1 GET "/v2/team/tool/blobs/$config 200"
	rules
	pull 0
	asked 0 GET "/v2/team/tool/blobs/$config"
	asked 1 GET "/v2/team/tool/blobs/$layer 200"
	do_ 0 fsck
}

@test "blob 416, when it is to go on: said" {
	rules "1 GET /blobs/$layer cut=5000" "9 GET /blobs/$layer 416"
	pull 1
	stderr_has "HTTP 416"
	nothing_came
}

@test "blob 404, 403, 401: said with the number" {
	for code in 404 403 401; do
		rules "9 GET /blobs/$layer $code"
		pull 1
		stderr_has "hull: pull $REGISTRY/team/tool:1: "
		[ "$code" = 401 ] || stderr_has "(HTTP $code)"
		nothing_came
	done
}

@test "blob 429, 500, 502, 503: asked again" {
	rules "1 GET /blobs/$layer 429" "1 GET /blobs/$layer 502"
	pull 0
	asked 1 GET "/v2/team/tool/blobs/$layer 200"
	do_ 0 rmi "$REGISTRY/team/tool:1"
	do_ 0 prune
	rules "1 GET /blobs/$layer 500" "1 GET /blobs/$layer 503"
	pull 0
}

@test "blob that stays cut: four times tried, then said" {
	rules "99 GET /blobs/$layer cut=100"
	pull 1
	stderr_has "hull: pull $REGISTRY/team/tool:1: fetch $layer: "
	asked 4 GET "/v2/team/tool/blobs/$layer "
	nothing_came
}

@test "push: HEAD 404, POST 202, PUT 201, manifest PUT 201" {
	do_ 0 pull hull/busybox
	rules "9 HEAD /blobs/ 404"
	push 0
	stdout_is "$manifest"
	asked 2 HEAD "/v2/team/tool/blobs/sha256:[0-9a-f]* 404"
	asked 2 POST "/v2/team/tool/blobs/uploads/ 202"
	# The state of the registry's own location is kept.
	asked 2 PUT "/v2/team/tool/blobs/uploads/one.state=a&digest=sha256:.* 201"
	asked 1 PUT "/v2/team/tool/manifests/1 201"
	[[ "$(tail -n 1 "$NOTES")" == "PUT /v2/team/tool/manifests/1 "* ]]
}

@test "push: HEAD 200, nothing but the manifest is sent" {
	do_ 0 pull hull/busybox
	rules
	push 0
	asked 2 HEAD "/v2/team/tool/blobs/.* 200"
	asked 0 POST ""
	asked 1 PUT ""
}

@test "push: HEAD 401, 403, 500" {
	do_ 0 pull hull/busybox
	push_refused HEAD /blobs/ 403 500
	asked 4 HEAD ""
	rules "9 HEAD /blobs/ 401"
	push 1
	stderr_has "$REGISTRY asks for credentials without saying which"
}

@test "push: HEAD 401 Basic, then with credentials" {
	do_ 0 pull hull/busybox
	rules "1 HEAD /blobs/ 401 WWW-Authenticate=Basic+realm=\"x\""
	push 0 --creds me:secret
	grep -q "^HEAD .* 401 - -\$" "$NOTES"
	grep -q "^PUT /v2/team/tool/manifests/1 201 - Basic_" "$NOTES"
}

@test "push: POST 401, 403, 404, 405, 500" {
	do_ 0 pull hull/busybox
	for code in 403 404 405 500; do
		rules "9 HEAD /blobs/ 404" "9 POST . $code"
		push 1
		stderr_has "HTTP $code"
		asked 0 PUT ""
	done
	rules "9 HEAD /blobs/ 404" "9 POST . 401"
	push 1
	stderr_has "$REGISTRY asks for credentials without saying which"
}

@test "push: POST 202 without a Location" {
	do_ 0 pull hull/busybox
	rules "9 HEAD /blobs/ 404" "9 POST . 202"
	push 1
	stderr_has "$REGISTRY does not say where it wants the blob sha256:"
}

@test "push: POST 202 with another host's Location gets no credentials" {
	do_ 0 pull hull/busybox
	rules "1 HEAD /blobs/ 401 WWW-Authenticate=Basic+realm=\"x\"" "9 HEAD /blobs/ 404" \
		"9 POST . 202 Location=http://localhost:$port/upload?key=b"
	push 0 --creds me:secret
	asked 2 PUT "/upload.key=b&digest=sha256:[0-9a-f]* 201 - -\$"
	grep -q "^PUT /v2/team/tool/manifests/1 201 - Basic_" "$NOTES"
}

@test "push: PUT of a blob 400, 403, 404, 413, 416, 500" {
	do_ 0 pull hull/busybox
	for code in 400 403 404 413 416 500; do
		rules "9 HEAD /blobs/ 404" "9 PUT /uploads/ $code"
		push 1
		stderr_has "HTTP $code"
		asked 0 PUT "/v2/team/tool/manifests/"
	done
	# What may pass is tried four times, from the beginning.
	asked 4 PUT "/v2/team/tool/blobs/uploads/.* 500"
}

@test "push: 429, 500, 502, 503 that pass: asked again, and a blob is sent again" {
	do_ 0 pull hull/busybox
	rules "1 HEAD $layer 503" "1 HEAD /blobs/ 404" "1 HEAD /blobs/ 404" "1 POST . 429" "1 PUT /uploads/ 502" "1 PUT /manifests/ 500"
	push 0
	stdout_is "$manifest"
	asked 1 PUT "/v2/team/tool/blobs/uploads/.* 502"
	asked 1 PUT "/v2/team/tool/blobs/uploads/.* 201"
	asked 2 PUT "/v2/team/tool/manifests/1 "
	rules
	do_ 0 rmi hull/busybox
	do_ 0 prune
	pull 0
	do_ 0 fsck
}

@test "push: PUT of a manifest 400, 401, 403, 404, 413, 500" {
	do_ 0 pull hull/busybox
	push_refused PUT /manifests/ 400 403 404 413 500
	rules "1 PUT /manifests/ 401"
	push 1
	stderr_has "$REGISTRY asks for credentials without saying which"
}

@test "push: mount 201, nothing is sent; 202, the upload that has begun is used; 404 and 405, a new one" {
	do_ 0 pull hull/busybox
	do_ 0 tag hull/busybox "$REGISTRY/team/first:1"
	rules "9 HEAD /blobs/ 404" "9 POST mount= 201"
	push 0
	asked 2 POST "/v2/team/tool/blobs/uploads/.mount=sha256:.*from=team/first 201"
	asked 1 PUT ""
	rules "9 HEAD /blobs/ 404"
	push 0
	asked 2 POST ""
	asked 2 PUT "/v2/team/tool/blobs/uploads/one"
	for code in 404 405; do
		rules "9 HEAD /blobs/ 404" "9 POST mount= $code"
		push 0
		asked 2 POST "/v2/team/tool/blobs/uploads/ 202"
		asked 2 PUT "/v2/team/tool/blobs/uploads/one"
	done
}

@test "how far a pull has come: lines; bars in a terminal; nothing with --quiet" {
	rules "9 GET /blobs/$layer slow"
	pull 0
	stdout_is "$REGISTRY/team/tool:1"
	[ "$(sort <<<"$stderr")" = "$(grep -v '^$' <<<"$stderr" | sort)" ]
	grep -qx "${layer:0:19}: 1.0MB" <<<"$stderr"
	[[ $stderr != *$'\033'* ]]
	do_ 0 rmi "$REGISTRY/team/tool:1"
	pull 0 --quiet
	stderr_is ""
	do_ 0 rmi "$REGISTRY/team/tool:1"
	in_terminal "$WORK/shown" "$HULL" --root "$STATE" --data-root "$DATA" pull --tls-verify=false "$REGISTRY/team/tool:1"
	tr -d '\r' <"$WORK/shown" >"$WORK/lines"
	grep -q "^${layer:0:19} \[=*> *\] .*/1.0MB" "$WORK/lines"
	grep -q "${layer:0:19}: 1.0MB" "$WORK/lines"
	# What is drawn is taken away again before the last word.
	[[ "$(tail -n 1 "$WORK/lines")" == "$REGISTRY/team/tool:1" ]]
	do_ 0 rmi "$REGISTRY/team/tool:1"
	do_ 0 run --rm --network none --tls-verify=false "$REGISTRY/team/tool:1" true
	stderr_has "${layer:0:19}: 1.0MB"
	do_ 0 rmi "$REGISTRY/team/tool:1"
	do_ 0 run --rm --quiet --network none --tls-verify=false "$REGISTRY/team/tool:1" true
	stderr_is ""
	do_ 0 pull -q hull/busybox
	rules "9 HEAD /blobs/ 404"
	push 0
	stderr_has "${layer:0:19}: 1.0MB"
	push 0 --quiet
	stderr_is ""
}

@test "how far a load has come" {
	do_ 0 pull -q hull/busybox
	do_ 0 save -o "$WORK/archive" hull/busybox
	do_ 0 load -i "$WORK/archive"
	stderr_is "${layer:0:19}: 1.0MB"
	do_ 0 load -q -i "$WORK/archive"
	stderr_is ""
	in_terminal "$WORK/shown" "$HULL" --root "$STATE" --data-root "$DATA" load -i "$WORK/archive"
	[[ "$(tr -d '\r' <"$WORK/shown" | tail -n 1)" == *"Loaded image: "* ]]
}
