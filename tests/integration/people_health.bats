#!/usr/bin/env bats
# as: root, user
# sanitizers: thorough
#
# Health checks of containers for people.
# shellcheck disable=SC2154 # status, stdout and stderr are run_command's
load helpers
load people_helpers

setup() {
	setup_people
}

teardown() {
	teardown_people
}

# health_is NAME WORD: what ps says of it.
health_is() {
	run_hull --data-root "$DATA" ps --filter "name=$1" --filter "health=$2" --format '{{.Names}}'
	[ "$stdout" = "$1" ]
}

# health_of NAME EXPRESSION: of its State.Health, called h, in Python.
health_of() {
	run_hull --data-root "$DATA" inspect "$1"
	python3 -c 'import json, sys
h = json.loads(sys.argv[1])[0]["State"]["Health"]
print(eval(sys.argv[2]))' "$stdout" "$2"
}

@test "a container becomes healthy, unhealthy, and healthy again" {
	run_ 0 -d --name box --health-cmd 'cat /good && echo fine' --health-interval 50ms --health-retries 2 \
		$IMAGE sh -c 'echo yes >/good; exec sleep 1000'
	wait_for 30 health_is box healthy
	do_ 0 ps --format '{{.Status}}'
	[[ $stdout == *"(healthy)" ]]
	[ "$(health_of box 'h["Log"][-1]["Output"], h["Log"][-1]["ExitCode"], h["FailingStreak"]')" = "('yes\nfine\n', 0, 0)" ]
	do_ 0 exec box rm /good
	wait_for 30 health_is box unhealthy
	do_ 0 ps --format '{{.Status}}'
	[[ $stdout == *"(unhealthy)" ]]
	[ "$(health_of box 'len(h["Log"]) <= 5 and h["FailingStreak"] >= 2 and "No such file" in h["Log"][-1]["Output"]')" = True ]
	do_ 0 exec box touch /good
	wait_for 30 health_is box healthy
	# The one that checks goes with it, and a new run knows nothing of the last.
	do_ 0 stop --time 0 box
	do_ 0 ps -a --format '{{.Status}}'
	[[ $stdout != *ealth* ]]
}

@test "a check that takes too long is killed and has failed; before the first one, it is starting" {
	run_ 0 -d --name slow --health-cmd '["sh","-c","echo $$ >/pid; sleep 1000"]' --health-interval 1h --health-timeout 300ms \
		--health-retries 1 $IMAGE sleep 1000
	health_is slow starting
	do_ 0 ps --format '{{.Status}}'
	[[ $stdout == *"(health: starting)" ]]
	do_ 1 healthcheck run slow
	stdout_is unhealthy
	health_is slow unhealthy
	[ "$(health_of slow 'h["Log"][0]["Output"], h["Log"][0]["ExitCode"]')" = "('Health check exceeded timeout (300 ms)', -1)" ]
	# Neither it nor what it made is left.
	do_ 0 exec slow sh -c 'ps -o args | grep -c "^sleep 1000"'
	stdout_is 1
}

@test "healthcheck run checks at once, also in a container in the foreground" {
	run_ 0 -d --name now --health-cmd 'echo asked; [ -e /good ]' --health-interval 1h $IMAGE sleep 1000
	do_ 1 healthcheck run now
	stdout_is unhealthy
	health_is now starting
	do_ 0 exec now touch /good
	do_ 0 healthcheck run now
	stdout_is ""
	health_is now healthy
	[ "$(health_of now '[l["ExitCode"] for l in h["Log"]]')" = "[1, 0]" ]
	do_ 0 stop --time 0 now
	do_ 1 healthcheck run now
	stderr_is "hull: container now does not run"
	# A program that waits for its own check, which therefore was made.
	run_ 0 --rm --health-cmd 'echo >/checked' --health-interval 50ms $IMAGE sh -c 'until [ -e /checked ]; do sleep 0.05; done'
	do_ 0 run --network none -d --name plain $IMAGE sleep 1000
	do_ 1 healthcheck run plain
	stderr_is "hull: container plain has no health check"
	do_ 1 healthcheck walk plain
	stderr_is "hull: healthcheck walk: expected run"
}

# image_with HEALTHCHECK: the default image with it, loaded as localhost/checked.
image_with() {
	mkdir "$WORK/archive"
	python3 - "$HULL_IMAGE" "$WORK/archive" "$1" <<-'END'
		import json, shutil, sys
		layout, to, check = sys.argv[1:]
		blob = lambda d: layout + "/blobs/" + d["digest"].replace(":", "/")
		index = json.load(open(layout + "/index.json"))
		manifest = json.load(open(blob(index["manifests"][0])))
		config = json.load(open(blob(manifest["config"])))
		config["config"]["Healthcheck"] = json.loads(check)
		json.dump(config, open(to + "/config.json", "w"))
		layers = []
		for i, layer in enumerate(manifest["layers"]):
		    layers.append("%d.tar" % i)
		    shutil.copy(blob(layer), to + "/" + layers[-1])
		json.dump([{"Config": "config.json", "RepoTags": ["localhost/checked:latest"], "Layers": layers}],
		          open(to + "/manifest.json", "w"))
	END
	tar -C "$WORK/archive" -cf "$WORK/archive.tar" .
	do_ 0 load --input "$WORK/archive.tar"
}

@test "the image's own check is run, changed by options, and left out" {
	[ -e "${HULL_IMAGE:-}/index.json" ] || skip "needs the default image as HULL_IMAGE"
	image_with '{"Test":["CMD","cat","/hostname"],"Interval":50000000,"Retries":1}'
	run_ 0 -d --name of-image localhost/checked sleep 1000
	wait_for 30 health_is of-image unhealthy
	run_ 0 -d --name changed --health-cmd true localhost/checked sleep 1000
	wait_for 30 health_is changed healthy
	run_ 0 -d --name without --no-healthcheck localhost/checked sleep 1000
	health_is without none
	run_ 125 --no-healthcheck --health-retries 2 localhost/checked true
	stderr_is "hull: --no-healthcheck: other options ask for a health check"
	run_ 125 --health-interval 5s $IMAGE true
	stderr_is "hull: the options of a health check need a command: neither the image has one, nor is there --health-cmd"
	do_ 0 ps -aq
	[ "$(wc -l <<<"$stdout")" = 3 ]
}
