#!/usr/bin/env bats
# as: root, user
#
# Images from a registry: Debian's docker-registry on loopback, filled by skopeo.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers

setup() {
	setup_test
	requires program=docker-registry program=skopeo program=openssl program=htpasswd
	[ -e "${HULL%/*}/libexec/hull/hull-fetch" ] || skip "needs hull-fetch beside hull"
	DATA=$WORK/data
	export HOME=$WORK/home
	mkdir -p "$HOME"
	free_port
	REGISTRY=127.0.0.1:$port
}

teardown() {
	rm -rf "$DATA" 2>/dev/null || true
	teardown_test
}

do_() {
	local want=$1
	shift
	expect "$want" --data-root "$DATA" "$@"
}

# serve [LINE...]: starts the registry; LINEs are added to its settings.
serve() {
	{
		echo "version: 0.1"
		echo "storage: {filesystem: {rootdirectory: $WORK/registry}}"
		if [ -e "$WORK/cert.pem" ]; then
			echo "http: {addr: $REGISTRY, tls: {certificate: $WORK/cert.pem, key: $WORK/key.pem}}"
		else
			echo "http: {addr: $REGISTRY}"
		fi
		printf '%s\n' "$@"
	} >"$WORK/registry.yml"
	in_background docker-registry serve "$WORK/registry.yml"
	wait_for 20 listens
}

listens() { (exec 5<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

certificate() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
		-addext subjectAltName=IP:127.0.0.1 -keyout "$WORK/key.pem" -out "$WORK/cert.pem" 2>/dev/null
}

push() {
	skopeo copy --quiet --dest-tls-verify=false "${@:2}" "oci:$HULL_IMAGE" "docker://$REGISTRY/$1"
}

@test "an image of an insecure registry is pulled, and runs" {
	serve
	push team/tool:1
	do_ 0 pull --tls-verify=false "$REGISTRY/team/tool:1"
	do_ 0 images --format '{{.Repository}}:{{.Tag}}'
	stdout_is "$REGISTRY/team/tool:1"
	do_ 0 run --rm --network none "$REGISTRY/team/tool:1" echo pulled
	stdout_is pulled
	# By its digest, too, and the digest is what skopeo says.
	local digest
	digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/team/tool:1")
	do_ 0 pull --tls-verify=false "$REGISTRY/team/tool@$digest"
	do_ 0 inspect "$REGISTRY/team/tool:1"
	[ "$(jq -r '.[0].Digest' <<<"$stdout")" = "$digest" ]
	do_ 0 fsck
}

@test "what is not there, and who does not answer, is named" {
	serve
	do_ 1 pull --tls-verify=false "$REGISTRY/no/such:1"
	stderr_is "hull: pull $REGISTRY/no/such:1: $REGISTRY/no/such: there is no manifest 1 (HTTP 404)"
	do_ 1 pull "$REGISTRY/no/such:1"
	stderr_has "https://$REGISTRY/v2/no/such/manifests/1"
	do_ 0 images -q
	stdout_is ""
	do_ 1 pull "Bad/Name:1"
	stderr_has "Bad"
}

@test "a registry that nobody listens at is said at once" {
	local before=${EPOCHREALTIME/./}
	do_ 1 pull "$REGISTRY/no/such:1"
	stderr_has "https://$REGISTRY/v2/no/such/manifests/1"
	do_ 1 pull --tls-verify=false "$REGISTRY/no/such:1"
	stderr_has "http://$REGISTRY/v2/no/such/manifests/1"
	# To try again three times takes 1 + 2 + 4 s.
	[ $((${EPOCHREALTIME/./} - before)) -lt $((5000000 * HULL_TEST_SLOW)) ] || mismatch "time until it is said" "less than 5 s" "more"
}

@test "TLS: a certificate is verified, by one's own authority too" {
	certificate
	serve
	push tool:1
	do_ 1 pull "$REGISTRY/tool:1"
	stderr_has "$REGISTRY"
	do_ 0 pull --ca "$WORK/cert.pem" "$REGISTRY/tool:1"
	do_ 0 pull --tls-verify=false "$REGISTRY/tool:1"
	# One that hull alone may read.
	mkdir -m 0700 "$WORK/own"
	install -m 0600 "$WORK/cert.pem" "$WORK/own/"
	do_ 0 pull --ca "$WORK/own/cert.pem" "$REGISTRY/tool:1"
	do_ 1 pull --ca "$WORK/own/none.pem" "$REGISTRY/tool:1"
	stderr_has "$WORK/own/none.pem"
	do_ 1 pull --ca /dev/null "$REGISTRY/tool:1"
	stderr_has "/dev/null"
}

@test "credentials: by option, by file; without, and wrong ones, are refused" {
	certificate
	htpasswd -Bbc "$WORK/passwords" me secret 2>/dev/null
	serve "auth: {htpasswd: {realm: test, path: $WORK/passwords}}"
	push tool:1 --dest-creds me:secret
	do_ 1 pull --ca "$WORK/cert.pem" "$REGISTRY/tool:1"
	stderr_has "it asks for credentials, and none are known (HTTP 401)"
	do_ 1 pull --ca "$WORK/cert.pem" --creds me:wrong "$REGISTRY/tool:1"
	stderr_has "the credentials are refused (HTTP 401)"
	do_ 0 pull --ca "$WORK/cert.pem" --creds me:secret "$REGISTRY/tool:1"
	mkdir -p "$HOME/.docker"
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY" "$(printf me:secret | base64)" \
		>"$HOME/.docker/config.json"
	do_ 0 pull --ca "$WORK/cert.pem" "$REGISTRY/tool:1"
	[ -z "$(grep -r secret "$DATA")" ]
}

@test "hull-fetch gives up what it does not need" {
	serve
	push tool:1
	printf 'manifest 1\n' >"$WORK/request"
	run_command strace -f -e trace=seccomp,landlock_restrict_self,prctl,capset -o "$WORK/trace" \
		"$HULL" --root "$STATE" --data-root "$DATA" pull --tls-verify=false "$REGISTRY/tool:1"
	[ "$status" = 0 ] || skip "strace may not trace here"
	grep -q 'PR_SET_NO_NEW_PRIVS, 1' "$WORK/trace"
	grep -q 'SECCOMP_SET_MODE_FILTER' "$WORK/trace"
	grep -q 'capset' "$WORK/trace"
}

@test "hull-fetch's sandbox refuses what it should" {
	local fetch=${HULL_LIBEXEC:-${HULL%/*}/libexec/hull}/hull-fetch
	run_command "$fetch" --self-test
	[ "$status" = 0 ]
	jq --exit-status 'length == 13 and all(.[]; . != "possible")' <<<"$stdout"
	# In the process itself, while it waits for a request.
	mkfifo "$WORK/requests"
	in_background sh -c 'exec "$0" --registry 127.0.0.1:1 --repository a 3<>"$1"' "$fetch" "$WORK/requests"
	local pid=${BACKGROUND[-1]}
	wait_for 5 grep --quiet '^Seccomp:.*2' "/proc/$pid/status"
	grep --quiet '^NoNewPrivs:.*1' "/proc/$pid/status"
	grep --quiet '^CapPrm:.*0000000000000000' "/proc/$pid/status"
	! is_root || grep --quiet '^CapBnd:.*0000000000000000' "/proc/$pid/status"
	! is_root || grep --quiet '^Uid:.*65534.*65534.*65534.*65534' "/proc/$pid/status"
	! is_root || [ "$(sed -n 's/^Groups:[[:space:]]*//p' "/proc/$pid/status")" = "" ]
}

@test "hull-fetch ends with hull" {
	# A registry that says nothing: it is waited for.
	in_background python3 -c 'import socket,sys,time; s=socket.create_server(("127.0.0.1", int(sys.argv[1]))); time.sleep(1000)' "$((port + 1))"
	wait_for 20 silent_listens
	in_background "$HULL" --root "$STATE" --data-root "$DATA" pull --tls-verify=false "127.0.0.1:$((port + 1))/tool:1"
	local pid=${BACKGROUND[-1]} helper
	wait_for 10 has_child "$pid"
	helper=$(cat "/proc/$pid/task/$pid/children")
	helper=${helper% }
	wait_for 5 grep --quiet '^Seccomp:.*2' "/proc/$helper/status"
	kill -KILL "$pid"
	wait_for 5 process_gone "$helper"
}
silent_listens() { (exec 5<>"/dev/tcp/127.0.0.1/$((port + 1))") 2>/dev/null; }
has_child() { [ -n "$(cat "/proc/$1/task/$1/children" 2>/dev/null)" ]; }

# several_platforms: $WORK/several, a layout whose image "several" is there for amd64 and arm64; its program says which.
several_platforms() {
	cp -R "$HULL_IMAGE" "$WORK/several"
	python3 - "$WORK/several" <<-'PYTHON'
		import hashlib, json, sys

		top = sys.argv[1]

		def put(document):
		    text = json.dumps(document).encode()
		    name = hashlib.sha256(text).hexdigest()
		    with open(f"{top}/blobs/sha256/{name}", "wb") as f:
		        f.write(text)
		    return {"digest": "sha256:" + name, "size": len(text)}

		def get(descriptor):
		    with open(f"{top}/blobs/sha256/" + descriptor["digest"].partition(":")[2], encoding="utf-8") as f:
		        return json.load(f)

		with open(top + "/index.json", encoding="utf-8") as f:
		    first = json.load(f)["manifests"][0]
		entries = []
		for arch in ("amd64", "arm64"):
		    manifest = get(first)
		    config = get(manifest["config"])
		    config["architecture"] = arch
		    config["config"]["Env"] = ["PATH=/bin", "ARCH=" + arch]
		    manifest["config"].update(put(config))
		    entries.append({"mediaType": first["mediaType"], "platform": {"architecture": arch, "os": "linux"}, **put(manifest)})
		kind = "application/vnd.oci.image.index.v1+json"
		index = {"mediaType": kind, "annotations": {"org.opencontainers.image.ref.name": "several"},
		         **put({"schemaVersion": 2, "mediaType": kind, "manifests": entries})}
		with open(top + "/index.json", "w", encoding="utf-8") as f:
		    json.dump({"schemaVersion": 2, "manifests": [index]}, f)
	PYTHON
}

@test "of an image for several platforms comes this machine's, or the one that is asked for" {
	local here other
	case $(uname -m) in
	x86_64) here=amd64 other=arm64 ;;
	aarch64) here=arm64 other=amd64 ;;
	*) skip "is for amd64 and arm64" ;;
	esac
	several_platforms
	serve_noted
	skopeo copy --quiet --all --dest-tls-verify=false "oci:$WORK/several:several" "docker://$REGISTRY/several:1"
	run_one() { do_ "$1" run --rm --network none --tls-verify=false "${@:2}" "$REGISTRY/several:1" sh -c 'echo "$ARCH"'; }
	do_ 0 pull -q --tls-verify=false "$REGISTRY/several:1"
	run_one 0
	stdout_is "$here"
	stderr_is ""
	# What is there is not what was asked for: it is fetched, or not taken.
	run_one 125 --platform "linux/$other" --pull never
	stderr_is "hull: $REGISTRY/several:1: the image is for linux/$here, not for linux/$other"
	run_one 0 --platform "linux/$other"
	stdout_is "$other"
	run_one 0 --pull never
	stdout_is "$other"
	stderr_has "the image $REGISTRY/several:1 is for linux/$other, and this machine is linux/$here"
	run_one 0 --platform "$here"
	stdout_is "$here"
	run_one 125 --platform linux/s390x
	stderr_has "there is no image for linux/s390x, only for linux/amd64, linux/arm64"
	do_ 0 pull --tls-verify=false --platform "linux/$other" "$REGISTRY/several:1"
	do_ 0 inspect "$REGISTRY/several:1"
	[ "$(jq -r '.[0].ImageConfig.architecture' <<<"$stdout")" = "$other" ]
	# A manifest alone is of one platform.
	skopeo copy --quiet --override-arch "$other" --dest-tls-verify=false "oci:$WORK/several:several" "docker://$REGISTRY/one:1"
	do_ 1 pull --tls-verify=false --platform "linux/$here" "$REGISTRY/one:1"
	stderr_has "$REGISTRY/one:1: the image is for linux/$other, not for linux/$here"
	do_ 0 pull --tls-verify=false "$REGISTRY/one:1"
	do_ 0 fsck
}

# settings: registries.conf, from standard input, with the registry as one that speaks http.
settings() {
	{
		cat
		printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REGISTRY"
	} >"$WORK/registries.conf"
	export CONTAINERS_REGISTRIES_CONF=$WORK/registries.conf
}

@test "registries.conf: short names are looked for where it says, and aliases go first" {
	serve
	push lib/tool:1
	push other:1
	settings <<-END
		unqualified-search-registries = ["$REGISTRY/none", "$REGISTRY/lib"]
		[aliases]
		"mine" = "$REGISTRY/other"
	END
	do_ 0 pull tool:1
	do_ 0 pull mine:1
	do_ 0 images --format '{{.Repository}}:{{.Tag}}'
	[ "$(sort <<<"$stdout")" = "$(printf '%s\n' "$REGISTRY/lib/tool:1" "$REGISTRY/other:1" | sort)" ]
	# What is there is found by the same names, though nobody is asked any more.
	do_ 0 run --rm --network none --pull never tool:1 echo found
	do_ 0 run --rm --network none --pull never mine:1 echo found
	do_ 0 run --rm --network none --pull always mine:1 echo found
	do_ 1 pull nothing:1
	stderr_has "hull: nothing: pull $REGISTRY/none/nothing:1: "
	stderr_has "; pull $REGISTRY/lib/nothing:1: $REGISTRY/lib/nothing: there is no manifest 1 (HTTP 404)"
	do_ 125 run --rm --pull never nothing:1 true
	stderr_has "nothing"
	# An explicit word goes before what the file says of a registry.
	do_ 1 pull --tls-verify=true mine:1
	stderr_has "https://$REGISTRY/v2/other/manifests/1"
	settings <<<'unqualified-search-registries = []'
	do_ 1 pull tool:1
	stderr_is 'hull: the image name "tool" has no registry, no alias, and unqualified-search-registries is empty'
}

@test "registries.conf: a user's own, and the files beside it" {
	requires user
	serve_noted
	push lib/tool:1
	push other:1
	unset CONTAINERS_REGISTRIES_CONF
	mkdir -p "$HOME/.config/containers/registries.conf.d"
	echo "unqualified-search-registries = [\"$REGISTRY/lib\"]" >"$HOME/.config/containers/registries.conf"
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REGISTRY" >"$HOME/.config/containers/registries.conf.d/10-own.conf"
	printf '[aliases]\n"mine" = "%s/other"\n' "$REGISTRY" >"$HOME/.config/containers/registries.conf.d/20-names.conf"
	echo 'not read' >"$HOME/.config/containers/registries.conf.d/note.txt"
	do_ 0 pull tool:1
	do_ 0 pull mine:1
	do_ 0 images --format '{{.Repository}}:{{.Tag}}'
	[ "$(sort <<<"$stdout")" = "$(printf '%s\n' "$REGISTRY/lib/tool:1" "$REGISTRY/other:1" | sort)" ]
	echo 'wrong' >"$HOME/.config/containers/registries.conf.d/30-wrong.conf"
	do_ 1 pull tool:1
	stderr_has "30-wrong.conf"
}

@test "registries.conf: mirrors are asked first and get no credentials; what is blocked is refused" {
	htpasswd -Bbc "$WORK/passwords" me secret 2>/dev/null
	serve "auth: {htpasswd: {realm: test, path: $WORK/passwords}}"
	push mirror/tool:1 --dest-creds me:secret
	settings <<-END
		[[registry]]
		prefix = "registry.invalid/team"
		location = "$REGISTRY/origin"
		[[registry.mirror]]
		location = "127.0.0.1:1/nobody"
		[[registry.mirror]]
		location = "$REGISTRY/mirror"
		insecure = true
		[[registry]]
		prefix = "registry.invalid/closed"
		blocked = true
	END
	do_ 0 pull --creds me:secret "$REGISTRY/mirror/tool:1"
	do_ 0 rmi "$REGISTRY/mirror/tool:1"
	# With them the mirror would have served it; the registry itself speaks no TLS.
	do_ 1 pull --creds me:secret registry.invalid/team/tool:1
	stderr_has "hull: pull $REGISTRY/origin/tool:1: "
	# Those that are kept for the mirror are its own.
	mkdir -p "$HOME/.docker"
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY" "$(printf me:secret | base64)" \
		>"$HOME/.docker/config.json"
	do_ 0 pull registry.invalid/team/tool:1
	do_ 0 images --format '{{.Repository}}:{{.Tag}}'
	stdout_is registry.invalid/team/tool:1
	do_ 1 pull registry.invalid/closed/tool:1
	stderr_is "hull: registry registry.invalid/closed is blocked by registries.conf"
	echo 'unqualified-search-registries = "' >"$WORK/registries.conf"
	do_ 1 pull registry.invalid/team/tool:1
	stderr_has "$WORK/registries.conf"
}

@test "what is pushed is what was there: by TLS and credentials, and pulled again" {
	certificate
	htpasswd -Bbc "$WORK/passwords" me secret 2>/dev/null
	serve "auth: {htpasswd: {realm: test, path: $WORK/passwords}}"
	do_ 0 pull hull/busybox
	do_ 1 push --ca "$WORK/cert.pem" hull/busybox "$REGISTRY/team/tool:1"
	stderr_has "it asks for credentials, and none are known (HTTP 401)"
	do_ 1 push --ca "$WORK/cert.pem" --creds me:wrong hull/busybox "$REGISTRY/team/tool:1"
	stderr_has "the credentials are refused (HTTP 401)"
	do_ 1 push --creds me:secret hull/busybox "$REGISTRY/team/tool:1"
	stderr_has "hull: push $REGISTRY/team/tool:1: https://$REGISTRY/v2/team/tool/blobs/sha256:"
	do_ 0 push --ca "$WORK/cert.pem" --creds me:secret hull/busybox "$REGISTRY/team/tool:1"
	local digest=$stdout
	[ "$(skopeo inspect --tls-verify=false --creds me:secret --format '{{.Digest}}' "docker://$REGISTRY/team/tool:1")" = "$digest" ]
	# All is there: nothing but the manifest is sent, and under another tag it is the same.
	do_ 0 tag hull/busybox "$REGISTRY/team/tool:2"
	do_ 0 push --ca "$WORK/cert.pem" --creds me:secret "$REGISTRY/team/tool:2"
	stdout_is "$digest"
	stderr_is ""
	expect 0 --data-root "$WORK/other" pull --ca "$WORK/cert.pem" --creds me:secret "$REGISTRY/team/tool:2"
	expect 0 --data-root "$WORK/other" inspect "$REGISTRY/team/tool:2"
	[ "$(jq -r '.[0].Digest' <<<"$stdout")" = "$digest" ]
	rm -rf "$WORK/other"
}

@test "a push without TLS, to where it can't be, and of what is not there" {
	serve
	do_ 0 pull hull/busybox
	do_ 0 push -q --tls-verify=false hull/busybox "$REGISTRY/plain"
	stderr_is ""
	[ "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/plain:latest")" = "$stdout" ]
	do_ 1 push --tls-verify=false no/such/image "$REGISTRY/plain"
	stderr_has "no/such/image"
	do_ 1 push --tls-verify=false hull/busybox "$REGISTRY/plain@$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/plain:latest")"
	stderr_has "a place has a tag, and no digest"
	do_ 1 push hull/busybox oci:/nowhere
	stderr_is 'hull: push oci:/nowhere: archives are written by "hull save"'
}

@test "a registry that takes nothing says so" {
	serve 'storage: {filesystem: {rootdirectory: '"$WORK"'/registry}, maintenance: {readonly: {enabled: true}}}'
	do_ 0 pull hull/busybox
	do_ 1 push --tls-verify=false hull/busybox "$REGISTRY/tool:1"
	stderr_has "HTTP 405"
}

# uploads REPOSITORY: how many blobs it was sent, as the registry's own notes say.
uploads() { grep -c "PUT /v2/$1/blobs/uploads/" "$WORK/registry.log"; }

@test "a push takes from another repository of the registry what that has" {
	serve_noted
	do_ 0 pull hull/busybox
	do_ 0 push -q --tls-verify=false hull/busybox "$REGISTRY/team/first:1"
	[ "$(uploads team/first)" = 2 ]
	do_ 0 tag hull/busybox "$REGISTRY/team/first:1"
	do_ 0 push -q --tls-verify=false "$REGISTRY/team/first:1" "$REGISTRY/team/second:1"
	local digest=$stdout
	[ "$(uploads team/second)" = 0 ]
	[ "$(grep -c 'POST /v2/team/second/blobs/uploads/?mount=sha256:.*from=team/first' "$WORK/registry.log")" = 2 ]
	expect 0 --data-root "$WORK/other" pull --tls-verify=false "$REGISTRY/team/second:1"
	expect 0 --data-root "$WORK/other" inspect "$REGISTRY/team/second:1"
	[ "$(jq -r '.[0].Digest' <<<"$stdout")" = "$digest" ]
	rm -rf "$WORK/other"
	# One that has only the name: the upload that the registry has begun instead is the one that is used.
	do_ 0 rmi -f "$REGISTRY/team/first:1"
	do_ 0 tag hull/busybox "$REGISTRY/team/nothing:1"
	do_ 0 push -q --tls-verify=false hull/busybox "$REGISTRY/team/third:1"
	stdout_is "$digest"
	[ "$(uploads team/third)" = 2 ]
	[ "$(grep -c 'POST /v2/team/third/blobs/uploads/' "$WORK/registry.log")" = 2 ]
}

# serve_noted [LINE...]: serve, with the registry's notes in $WORK/registry.log.
serve_noted() { serve "$@" 2>>"$WORK/registry.log" >>"$WORK/registry.log"; }

# token_registry: one whose users are those of tests/tools/token-server, which notes in $WORK/tokens what it is asked.
token_registry() {
	local tokens=$((port + 1))
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout "$WORK/token.key" -out "$WORK/token.pem" 2>/dev/null
	: >"$WORK/tokens"
	in_background python3 "$SOURCE/tests/tools/token-server" "$tokens" "$WORK/token.key" "$WORK/token.pem" "$WORK/tokens"
	serve_noted "auth: {token: {realm: 'http://127.0.0.1:$tokens/token', service: test, issuer: test, rootcertbundle: $WORK/token.pem}}"
	wait_for 20 token_listens
}
token_listens() { (exec 5<>"/dev/tcp/127.0.0.1/$((port + 1))") 2>/dev/null; }

@test "a token server: what it lets one do, and what it refuses" {
	token_registry
	do_ 0 pull hull/busybox
	do_ 0 push -q --tls-verify=false --creds me:secret hull/busybox "$REGISTRY/public/tool:1"
	local digest=$stdout
	grep -qx 'me 200 repository:public/tool:pull' "$WORK/tokens"
	grep -Eqx 'me 200 repository:public/tool:(pull,push|push,pull)' "$WORK/tokens"
	do_ 0 push -q --tls-verify=false --creds me:secret hull/busybox "$REGISTRY/team/tool:1"
	# Nobody, a reader, and somebody else.
	: >"$WORK/tokens"
	do_ 0 pull --tls-verify=false "$REGISTRY/public/tool:1"
	[ "$(sort -u "$WORK/tokens")" = "- 200 repository:public/tool:pull" ]
	do_ 1 pull --tls-verify=false "$REGISTRY/team/tool:1"
	stderr_has "access to manifest 1 is refused (HTTP 401)"
	do_ 0 pull --tls-verify=false --creds reader:secret "$REGISTRY/team/tool:1"
	do_ 0 inspect "$REGISTRY/team/tool:1"
	[ "$(jq -r '.[0].Digest' <<<"$stdout")" = "$digest" ]
	do_ 1 push --tls-verify=false --creds reader:secret hull/busybox "$REGISTRY/team/new:1"
	stderr_has "hull: push $REGISTRY/team/new:1: "
	stderr_has "is refused (HTTP 401)"
	do_ 1 pull --tls-verify=false --creds me:wrong "$REGISTRY/team/tool:1"
	stderr_has "the token server refuses (HTTP 401)"
	# From a file, as docker keeps it.
	mkdir -p "$HOME/.docker"
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY" "$(printf reader:secret | base64)" >"$HOME/.docker/config.json"
	do_ 0 pull --tls-verify=false "$REGISTRY/team/tool:1"
	rm "$HOME/.docker/config.json"
}

@test "an identity token takes the place of a password, from a file and from a helper" {
	token_registry
	do_ 0 pull hull/busybox
	do_ 0 push -q --tls-verify=false --creds me:secret hull/busybox "$REGISTRY/team/tool:1"
	local digest=$stdout
	mkdir -p "$HOME/.docker" "$WORK/bin"
	: >"$WORK/tokens"
	# As docker login keeps one: the name of nobody, and no password.
	printf '{"auths":{"%s":{"auth":"%s","identitytoken":"identity-of-me"}}}' "$REGISTRY" "$(printf '<token>:' | base64)" \
		>"$HOME/.docker/config.json"
	do_ 0 pull --tls-verify=false "$REGISTRY/team/tool:1"
	do_ 0 push -q --tls-verify=false hull/busybox "$REGISTRY/team/pushed:1"
	stdout_is "$digest"
	grep -qx 'identity me 200 repository:team/tool:pull' "$WORK/tokens"
	grep -Eq '^identity me 200 (repository:team/tool:pull )?repository:team/pushed:(pull,push|push,pull)' "$WORK/tokens"
	! grep -qv '^identity me 200' "$WORK/tokens" || false
	[ -z "$(grep -r identity-of "$DATA")" ]
	printf '#!/bin/sh\necho "$1 $(cat)" >>"%s/asked"\necho '"'"'{"Username":"<token>","Secret":"identity-of-reader"}'"'"'\n' "$WORK" \
		>"$WORK/bin/docker-credential-test"
	chmod +x "$WORK/bin/docker-credential-test"
	printf '{"credHelpers":{"%s":"test"}}' "$REGISTRY" >"$HOME/.docker/config.json"
	PATH=$WORK/bin:$PATH do_ 0 pull --tls-verify=false "$REGISTRY/team/tool:1"
	[ "$(cat "$WORK/asked")" = "get $REGISTRY" ]
	grep -qx 'identity reader 200 repository:team/tool:pull' "$WORK/tokens"
	printf '{"auths":{"%s":{"identitytoken":"identity-of-nobody"}}}' "$REGISTRY" >"$HOME/.docker/config.json"
	do_ 1 pull --tls-verify=false "$REGISTRY/team/tool:1"
	stderr_has "the token server refuses (HTTP 401)"
}

@test "credentials: from containers' auth.json, and from helpers" {
	htpasswd -Bbc "$WORK/passwords" me secret 2>/dev/null
	serve "auth: {htpasswd: {realm: test, path: $WORK/passwords}}"
	push tool:1 --dest-creds me:secret
	local auths
	auths=$(printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY" "$(printf me:secret | base64)")
	export XDG_RUNTIME_DIR=$WORK/run XDG_CONFIG_HOME=$WORK/config PATH=$WORK/bin:$PATH
	mkdir -p "$XDG_RUNTIME_DIR/containers" "$XDG_CONFIG_HOME/containers" "$WORK/bin" "$HOME/.docker"
	echo "$auths" >"$XDG_RUNTIME_DIR/containers/auth.json"
	do_ 0 pull --tls-verify=false "$REGISTRY/tool:1"
	rm "$XDG_RUNTIME_DIR/containers/auth.json"
	do_ 1 pull --tls-verify=false "$REGISTRY/tool:1"
	echo "$auths" >"$XDG_CONFIG_HOME/containers/auth.json"
	do_ 0 pull --tls-verify=false "$REGISTRY/tool:1"
	rm "$XDG_CONFIG_HOME/containers/auth.json"
	echo "$auths" >"$WORK/auth.json"
	do_ 0 pull --tls-verify=false --authfile "$WORK/auth.json" "$REGISTRY/tool:1"
	REGISTRY_AUTH_FILE=$WORK/auth.json do_ 0 pull --tls-verify=false "$REGISTRY/tool:1"
	# Those of skopeo's own login.
	skopeo login --tls-verify=false --authfile "$WORK/login.json" -u me -p secret "$REGISTRY" >/dev/null
	do_ 0 pull --tls-verify=false --authfile "$WORK/login.json" "$REGISTRY/tool:1"
	# A helper for one registry, and one for all.
	printf '#!/bin/sh\n[ "$(cat)" = "%s" ] || { echo credentials not found in native keychain; exit 1; }\necho '"'"'{"Username":"me","Secret":"secret"}'"'"'\n' "$REGISTRY" \
		>"$WORK/bin/docker-credential-test"
	chmod +x "$WORK/bin/docker-credential-test"
	printf '{"credHelpers":{"%s":"test"}}' "$REGISTRY" >"$HOME/.docker/config.json"
	do_ 0 pull --tls-verify=false "$REGISTRY/tool:1"
	echo '{"credsStore":"test"}' >"$HOME/.docker/config.json"
	do_ 0 pull --tls-verify=false "$REGISTRY/tool:1"
	echo '{"credsStore":"nothing"}' >"$HOME/.docker/config.json"
	do_ 1 pull --tls-verify=false "$REGISTRY/tool:1"
	stderr_has "names the credential helper docker-credential-nothing, which is not in PATH"
}

@test "with tokens a push takes from another repository if it may, and else sends" {
	token_registry
	do_ 0 pull hull/busybox
	do_ 0 push -q --tls-verify=false --creds me:secret hull/busybox "$REGISTRY/team/first:1"
	local digest=$stdout
	do_ 0 tag hull/busybox "$REGISTRY/team/first:1"
	: >"$WORK/tokens"
	do_ 0 push -q --tls-verify=false --creds me:secret hull/busybox "$REGISTRY/team/second:1"
	stdout_is "$digest"
	[ "$(uploads team/second)" = 0 ]
	# Both are asked for, each as a scope of its own.
	grep -Eq ' repository:team/first:pull( |$)' "$WORK/tokens"
	grep -Eq ' repository:team/second:(pull,push|push,pull)( |$)' "$WORK/tokens"
	do_ 0 rmi -f "$REGISTRY/team/first:1"
	do_ 0 tag hull/busybox "$REGISTRY/others/secret:1"
	do_ 0 push -q --tls-verify=false --creds me:secret hull/busybox "$REGISTRY/team/third:1"
	stdout_is "$digest"
	[ "$(uploads team/third)" = 2 ]
}

@test "a token server that is not there is named" {
	token_registry
	kill "${BACKGROUND[0]}"
	wait_for 20 token_is_gone
	do_ 1 pull --tls-verify=false "$REGISTRY/team/tool:1"
	stderr_has "http://127.0.0.1:$((port + 1))/token: "
}
token_is_gone() { ! token_listens; }
