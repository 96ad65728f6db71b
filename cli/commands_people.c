/*
 * commands_people.c - the rows of commands that only `hull` has: images, and
 * containers made of them, in Docker's words.
 */
#include "cli/cmd.h"
#include "cli/commands.h"

#define TEMPLATES "What a template is, hull(1) says at TEMPLATES."
#define WHO "A container is named by its name, its id or the beginning of that."

const struct command people_commands[] = {
	{
		.name = "attach",
		.modes = MODE_HULL,
		.arguments = "CONTAINER",
		.help = "connect to the standard streams of a detached container",
		.details = "Shows what the container writes from now on and passes standard input "
			   "to it, if it was made with --interactive. In a terminal, Ctrl-P Ctrl-Q "
			   "leaves it running, and so does a signal with --sig-proxy=false. The exit status is the container's.",
		.options = &attach_options,
		.min_args = 1,
		.max_args = 1,
		.run = cmd_attach,
	},
	{
		.name = "checkpoint",
		.modes = MODE_HULL,
		.arguments = "CONTAINER...",
		.help = "write running containers' processes into files",
		.details =
			"Writes the processes of a container of an image with their memory, by CRIU, "
			"into files that stay with the container, and stops it, unless it is to go on. Its "
			"files, volumes and networks stay as they are. restore lets it run on from "
			"there; start starts it anew, which gives the checkpoint up, and rm removes "
			"both. With --export it is in an archive, too, for restore --import; volumes are no "
			"part of that. One with --rm or --publish-socket, or that is run in the foreground, is "
			"refused. Of a container of a bundle the files go to --image-path, and the "
			"container is deleted. " WHO,
		.options = &people_checkpoint_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.finds_container = true,
		.opens_libraries = true,
		.run = cmd_people_checkpoint,
	},
	{
		.name = "commit",
		.modes = MODE_HULL,
		.arguments = "CONTAINER [IMAGE]",
		.help = "make an image of what a container has become",
		.details = "Makes an image of the container's own image and, as one layer more, what the "
			   "container changed, and prints its id. It runs what the container runs, in the "
			   "same environment. What is mounted, as volumes are, is no part of it. An IMAGE "
			   "without a registry is one of localhost. " WHO,
		.options = &commit_options,
		.min_args = 1,
		.max_args = 2,
		.run = cmd_commit,
	},
	{
		.name = "cp",
		.modes = MODE_HULL,
		.arguments = "CONTAINER:PATH|PATH|- CONTAINER:PATH|PATH|-",
		.help = "copy files out of a container or into it",
		.details = "Copies a file, or a directory with all that is in it, between the host and a "
			   "container, running or not. A path in a container begins at its root. A "
			   "directory that is there gets what is copied below it; else that is copied to "
			   "the name given. Behind a source, \"/.\" means what is in the directory and not "
			   "itself; behind a target, \"/\" says that it is a directory, which has to be "
			   "there. - is a tar, on standard input or output. Directories that are there "
			   "keep their owners and modes, no file takes the place of a directory or the "
			   "other way round, and devices, pipes and sockets are left out except of a tar "
			   "that is written. What is copied belongs to root of the container, or on the "
			   "host to the user, without set-user-ID bits, unless --archive is given. " WHO,
		.options = &cp_options,
		.min_args = 2,
		.max_args = 2,
		.run = cmd_cp,
	},
	{
		.name = "diff",
		.modes = MODE_HULL,
		.arguments = "CONTAINER",
		.help = "show what a container changed of its image",
		.details = "Prints a line for each path: A, it was added; C, changed; D, deleted. " WHO,
		.options = &no_options,
		.min_args = 1,
		.max_args = 1,
		.run = cmd_diff,
	},
	{
		.name = "events",
		.modes = MODE_HULL,
		.arguments = "[CONTAINER]",
		.help = "print what happens to containers, images, networks and volumes",
		.details = "Prints a line for each container that is made (create), started (start), "
			   "paused, unpaused, renamed (rename) or sent a signal by kill (kill), that "
			   "lacked memory (oom), was stopped (stop), ended (die) or was removed "
			   "(destroy), for each change of its health (health_status), and for each "
			   "program of exec (exec_create and exec_start, and exec_die unless it was "
			   "detached). Of images there are pull, push, load, import, save, tag, untag, "
			   "delete and prune, of networks create, connect, disconnect and destroy, of "
			   "volumes create, mount, unmount and destroy. It goes on "
			   "until --until, or for ever. What happened is kept up to 2 MB. Of one "
			   "CONTAINER its statistics are printed, as JSON, in intervals, and \"oom\" "
			   "when the kernel has killed some of its processes for lack of memory, until "
			   "it has ended. " TEMPLATES " " WHO,
		.options = &people_events_options,
		.max_args = 1,
		.takes_container = true,
		.run = cmd_people_events,
	},
	{
		.name = "exec",
		.modes = MODE_HULL,
		.arguments = "CONTAINER COMMAND [ARG...]",
		.help = "run a further program in a running container",
		.details = "Runs COMMAND in the container. What follows CONTAINER belongs to the "
			   "command. The exit status is the program's, or 255 if it could not be "
			   "started. " WHO,
		.options = &people_exec_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.ordered = true,
		.failure_status = 255,
		.enters = true,
		.takes_container = true,
		.run = cmd_exec,
	},
	{
		.name = "export",
		.modes = MODE_HULL,
		.arguments = "CONTAINER",
		.help = "write a container's file system to a tar",
		.details = "Writes all files of the container, running or not, to standard output or a "
			   "file: those of its image and what it changed, but nothing that is mounted, "
			   "as volumes are. " WHO,
		.options = &export_options,
		.min_args = 1,
		.max_args = 1,
		.enters = true,
		.run = cmd_export,
	},
	{
		.name = "fsck",
		.modes = MODE_HULL,
		.arguments = "",
		.help = "check the store of images",
		.details = "Reads all that is stored and compares it with its digests; tells what "
			   "is wrong, and with --repair mends it. The exit status is 1 if something "
			   "is wrong afterwards.",
		.options = &fsck_options,
		.run = cmd_fsck,
	},
	{
		.name = "healthcheck",
		.modes = MODE_HULL,
		.arguments = "run CONTAINER",
		.help = "check the health of a container now",
		.details = "Runs the container's health check once, besides those that are run as "
			   "long as it runs, and notes the result. Prints \"unhealthy\", with exit "
			   "status 1, if it fails. " WHO,
		.options = &no_options,
		.min_args = 2,
		.max_args = 2,
		.enters = true,
		.run = cmd_healthcheck,
	},
	{
		.name = "history",
		.modes = MODE_HULL,
		.arguments = "IMAGE",
		.help = "show how an image was made",
		.details = "Lists the steps of the image's configuration, the last one first.",
		.options = &history_options,
		.min_args = 1,
		.max_args = 1,
		.run = cmd_history,
	},
	{
		.name = "image",
		.modes = MODE_HULL,
		.arguments = "inspect IMAGE...|pack IMAGE",
		.verbs = "inspect|pack",
		.help = "show all about images, or make one file of one",
		.details = "Inspect prints an array with an object for each, in Docker's words. " TEMPLATES
			   " Pack writes all layers of an image as one EROFS file system to a file, by mkfs.erofs. "
			   "\"hull run --rootfs FILE\" runs it from there: it is mounted read-only, and "
			   "the container has what it changes for itself.",
		.options = &image_options,
		.min_args = 2,
		.max_args = ARGS_MANY,
		.run = cmd_image,
	},
	{
		.name = "images",
		.modes = MODE_HULL,
		.arguments = "[REFERENCE]",
		.help = "list the images",
		.details = "Lists the images of the store, also those that lost their names, or only "
			   "those with this name, a pattern. " TEMPLATES,
		.options = &images_options,
		.max_args = 1,
		.run = cmd_images,
	},
	{
		.name = "import",
		.modes = MODE_HULL,
		.arguments = "FILE [NAME]",
		.help = "make an image of a root file system's tar",
		.details = "Makes an image with FILE (- is standard input) as its one layer, and "
			   "prints its id.",
		.options = &import_options,
		.min_args = 1,
		.max_args = 2,
		.run = cmd_import,
	},
	{
		.name = "info",
		.modes = MODE_HULL,
		.arguments = "",
		.help = "show what hull has, and what the host is, as JSON",
		.details = "Prints an object in Docker's words: how many containers and images there "
			   "are, where they are kept, and what is known of the host.",
		.options = &info_options,
		.run = cmd_info,
	},
	{
		.name = "inspect",
		.modes = MODE_HULL,
		.arguments = "CONTAINER|IMAGE...",
		.help = "show all about containers and images, as JSON",
		.details = "Prints an array with an object for each. " TEMPLATES " " WHO,
		.options = &inspect_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.run = cmd_inspect,
	},
	{
		.name = "kill",
		.modes = MODE_HULL,
		.arguments = "CONTAINER...|CONTAINER SIGNAL",
		.help = "send a signal to containers",
		.details =
			"Sends SIGKILL, or what --signal says, a name or a number, to the first "
			"process of each container, or with --all to all that are in its cgroup or, "
			"where it has none, in the PID namespace that was made for it. The second of "
			"two words may be the signal, unless a container has that name. " WHO,
		.options = &people_kill_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.takes_container = true,
		.run = cmd_people_kill,
	},
	{
		.name = "load",
		.modes = MODE_HULL,
		.arguments = "",
		.help = "read images from an archive",
		.details = "Reads an archive as \"docker save\" writes it, or one of an OCI image "
			   "layout, from standard input or a file; it may be compressed with gzip or "
			   "zstd. The file may also be a directory: an OCI image layout.",
		.options = &load_options,
		.run = cmd_load,
	},
	{
		.name = "logs",
		.modes = MODE_HULL,
		.arguments = "CONTAINER...",
		.help = "show what detached containers wrote",
		.details = "Prints their standard output and standard error, each to ours, one "
			   "container's after the other's, or with --follow as it comes. Of several, "
			   "each line begins with its container's short id. " WHO,
		.options = &logs_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.run = cmd_logs,
	},
	{
		.name = "port",
		.modes = MODE_HULL,
		.arguments = "CONTAINER [PORT[/PROTOCOL]]",
		.help = "say where the ports of a container are published",
		.details = "One line for each port of a container that runs and each address of the "
			   "host, \"80/tcp -> 0.0.0.0:8080\", or of that port (of TCP without a "
			   "PROTOCOL) the addresses alone. Not published is a failure.",
		.options = &no_options,
		.min_args = 1,
		.max_args = 2,
		.takes_container = true,
		.run = cmd_port,
	},
	{
		.name = "profile",
		.modes = MODE_HULL,
		.arguments = "record FILE IMAGE [COMMAND [ARG...]]",
		.verbs = "record",
		.help = "make a seccomp profile of the system calls that a container makes",
		.details = "Runs a container as `run` does, whose options it takes behind FILE, notes which "
			   "system calls it makes, also by `exec`, and writes the least profile that lets "
			   "them through to FILE, for --security-opt seccomp=FILE. That is hull's own "
			   "profile without the calls that were not made, so nothing is in it that would "
			   "be refused otherwise. The container is slower meanwhile. What it did not do "
			   "this time it may not do later: let it do all that it is for. It is removed when "
			   "it has ended, as with --rm. FILE is not written if hull itself failed; the exit "
			   "status is that of `run`.",
		.options = &no_options,
		.min_args = 3,
		.max_args = ARGS_MANY,
		.ordered = true,
		.creates = true,
		.asks_systemd = true,
		.enters = true,
		.run = cmd_profile,
	},
	{
		.name = "prune",
		.modes = MODE_HULL,
		.arguments = "",
		.help = "remove what nobody needs",
		.details = "Removes stopped containers, images without a name, and what is left of "
			   "images that were removed. Volumes stay: \"volume prune\" is for them.",
		.options = &prune_options,
		.opens_libraries = true,
		.run = cmd_prune,
	},
	{
		.name = "ps",
		.modes = MODE_HULL,
		.arguments = "[CONTAINER [PS-OPTION...]]",
		.help = "list the containers, or the processes of one",
		.details = "Without an argument, lists the running containers. With one, shows its "
			   "processes as top does. Containers that do not run are listed with --all, "
			   "--last or --latest, and where a filter is about status, exited, before or "
			   "since. " TEMPLATES,
		.options = &people_ps_options,
		.max_args = ARGS_MANY,
		.ordered = true,
		.takes_container = true,
		.run = cmd_people_ps,
	},
	{
		.name = "pull",
		.modes = MODE_HULL,
		.arguments = "IMAGE...",
		.help = "fetch images",
		.details = "Fetches images into the store from registries, with the credentials that "
			   "docker, podman or skopeo were given. Short names, aliases, mirrors, "
			   "and which registries are insecure or blocked is as registries.conf of "
			   "containers-registries.conf(5) says. hull/busybox comes with hull and "
			   "needs none. oci:DIR[:NAME] is an image of an OCI image layout.",
		.options = &pull_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.run = cmd_pull,
	},
	{
		.name = "push",
		.modes = MODE_HULL,
		.arguments = "IMAGE [NAME]",
		.help = "give an image to a registry",
		.details = "Sends what the registry does not have yet of an image, under NAME or the "
			   "name that it has, and prints its digest. What another repository of the "
			   "registry has, by the names in the store, it takes from there. Credentials are found as pull "
			   "finds them.",
		.options = &push_options,
		.min_args = 1,
		.max_args = 2,
		.run = cmd_push,
	},
	{
		.name = "rename",
		.modes = MODE_HULL,
		.arguments = "CONTAINER NAME",
		.help = "give a container another name",
		.details = "The name has to be free. " WHO,
		.options = &no_options,
		.min_args = 2,
		.max_args = 2,
		.run = cmd_rename,
	},
	{
		.name = "restart",
		.modes = MODE_HULL,
		.arguments = "CONTAINER...",
		.help = "stop containers and start them again",
		.details = "Does what stop does, and then what start does.",
		.options = &stop_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.enters = true,
		.opens_libraries = true,
		.run = cmd_restart,
	},
	{
		.name = "restore",
		.modes = MODE_HULL,
		.arguments = "[CONTAINER...]",
		.help = "let containers run on from their checkpoints",
		.details =
			"Lets a stopped container of an image run on, detached, from the checkpoint that "
			"it has, which is then gone, on its networks with the addresses that it had. Its "
			"files and volumes are as they are now. With --import a new container is made of an "
			"archive, whose image has to be in the store; its volumes are those of the same "
			"names here. An archive says what its container may do: it has to be trusted, as a "
			"bundle has. With --bundle, or where there is no such "
			"container, a container of a bundle is made whose processes are those that "
			"checkpoint wrote: what it is and may do comes from the bundle. Its pipes become "
			"the caller's streams; a stream that was a file must be that file again, appended "
			"to. Without --detach its streams and signals are passed on and the exit status "
			"is its program's, as of run. " WHO,
		.options = &people_restore_options,
		.max_args = ARGS_MANY,
		.creates = true,
		.asks_systemd = true,
		.enters = true,
		.opens_libraries = true,
		.run = cmd_people_restore,
	},
	{
		.name = "rm",
		.modes = MODE_HULL,
		.arguments = "CONTAINER...",
		.help = "remove containers",
		.details = "Removes stopped containers with all that they changed of their images. "
			   WHO,
		.options = &rm_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.opens_libraries = true,
		.run = cmd_rm,
	},
	{
		.name = "rmi",
		.modes = MODE_HULL,
		.arguments = "IMAGE...",
		.help = "remove images",
		.details = "Takes an image its name, and removes it with the last one. An image of "
			   "which there are containers stays, unless --force is given.",
		.options = &rmi_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.run = cmd_rmi,
	},
	{
		.name = "run",
		.modes = MODE_HULL,
		.arguments = "IMAGE [COMMAND [ARG...]]",
		.help = "run a program in a new container of an image",
		.details = "Makes a container of IMAGE and runs COMMAND in it, or what the image "
			   "says. In the foreground, signals and the terminal are passed on, and the "
			   "exit status is the program's, or 128 and the number of the signal that "
			   "ended it; 127 if there is no such program, 126 if it can't be executed, "
			   "125 if hull itself failed. With --bundle DIR the argument is an ID, and "
			   "the container is one of the runtime, of that bundle.",
		.options = &run_image_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.ordered = true,
		.creates = true,
		.asks_systemd = true,
		.enters = true,
		.run = cmd_run_image,
	},
	{
		.name = "save",
		.modes = MODE_HULL,
		.arguments = "IMAGE...",
		.help = "write images to an archive",
		.details = "Writes images with their names to a tar that load reads, and skopeo, podman "
			   "and docker; digests stay what they are. A docker-archive has a manifest.json "
			   "beside the OCI image layout, as docker since 25 writes it.",
		.options = &save_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.run = cmd_save,
	},
	{
		.name = "start",
		.modes = MODE_HULL,
		.arguments = "[CONTAINER...]",
		.help = "start containers that do not run",
		.details = "Starts containers that have stopped, or lets the program of a container "
			   "go that the runtime's create has made. The unit hull-restart.service "
			   "of systemd, of the system and of a user, starts at boot \"--all --filter "
			   "should-start-on-boot=true\": those with the restart policy always, and "
			   "those with unless-stopped that nobody had stopped.",
		.options = &people_start_options,
		.max_args = ARGS_MANY,
		.enters = true,
		.run = cmd_people_start,
	},
	{
		.name = "stop",
		.modes = MODE_HULL,
		.arguments = "CONTAINER...",
		.help = "end containers",
		.details = "Sends a container its stop signal, and SIGKILL if that does not end it "
			   "in time.",
		.options = &stop_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.opens_libraries = true,
		.run = cmd_stop,
	},
	{
		.name = "tag",
		.modes = MODE_HULL,
		.arguments = "IMAGE NAME",
		.help = "give an image a further name",
		.details = "A NAME without a registry is one of localhost.",
		.options = &no_options,
		.min_args = 2,
		.max_args = 2,
		.run = cmd_tag,
	},
	{
		.name = "top",
		.modes = MODE_HULL,
		.arguments = "CONTAINER [PS-OPTION...]",
		.help = "show the processes of a container",
		.details = "The output of ps(1), called with PS-OPTIONs or else -ef, cut down to "
			   "the processes of the container. A microVM's have the same columns, "
			   "and there are no PS-OPTIONs. " WHO,
		.options = &no_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.ordered = true,
		.takes_container = true,
		.run = cmd_top,
	},
	{
		.name = "unpause",
		.modes = MODE_HULL,
		.arguments = "CONTAINER",
		.help = "let a paused container go on",
		.details = "The same as resume.",
		.options = &no_options,
		.min_args = 1,
		.max_args = 1,
		.takes_container = true,
		.run = cmd_resume,
	},
	{
		.name = "update",
		.modes = MODE_HULL,
		.arguments = "CONTAINER",
		.help = "change the limits of a container",
		.details =
			"Sets new limits on a container that exists, all of them or none. What is "
			"not given, or 0 or empty, stays as it is. The device policy stays in any "
			"case. " WHO,
		.options = &people_update_options,
		.min_args = 1,
		.max_args = 1,
		.takes_container = true,
		.run = cmd_people_update,
	},
	{
		.name = "volume",
		.modes = MODE_HULL,
		.arguments = "create|ls|inspect|rm|prune [NAME...]",
		.verbs = "create|ls|inspect|rm|prune",
		.help = "keep data beside containers",
		.details = "Makes, lists, shows and removes volumes: directories that containers "
			   "mount by name, and that outlive them. Prune takes away those that no "
			   "container mounts and that nobody gave a name.",
		.options = &volume_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.run = cmd_volume,
	},
	{
		.name = "wait",
		.modes = MODE_HULL,
		.arguments = "CONTAINER...",
		.help = "wait until containers have ended",
		.details = "Prints the exit status of each.",
		.options = &no_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.run = cmd_wait,
	},
	{
		.name = "why",
		.modes = MODE_HULL,
		.arguments = "CONTAINER",
		.help = "say how a container came to its end",
		.details = "In a sentence: that it lacked memory, with limit and peak; a system call for "
			   "which a seccomp filter ended it; a signal; its own exit status; that it was "
			   "told to; or why it could not be started. Then where its limits of processes, "
			   "CPU time and I/O held it back, what else the kernel denied to "
			   "its program, its health check's last failure, its times, and the last lines "
			   "that it wrote. What was denied is known only of a container's first process, "
			   "and if the kernel's log says it and may be read. A container that was removed "
			   "is known for as long as --keep-why of `hull run` said.",
		.options = &why_options,
		.min_args = 1,
		.max_args = 1,
		.takes_container = true,
		.run = cmd_why,
	},
	{ 0 },
};
