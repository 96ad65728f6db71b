#!/usr/bin/env bats
# as: root, user
#
# run and exec in a person's terminal, which is one of tmux.

load helpers

setup() {
	setup_test
	requires program=tmux
	make_bundle bundle '.process.terminal = true' '.process.args = ["sh"]'
	printf 'PS1="ready> "\n' >"$WORK/rc"
	tmux_ -f /dev/null new-session -d -x 100 -y 30 "HULL_TEST=$TAG PS1='outer> ' bash --norc --noprofile -i"
	shows 'outer>'
	# `h` is hull as helpers.bash runs it.
	type_line "h() { XDG_RUNTIME_DIR=$RUNTIME_DIR $HULL --root $STATE --log-level error \"\$@\"; }; clear"
	type_line "stty -g >before; stty -a | tail -n +2 >>before"
}

teardown() {
	tmux_ kill-server 2>/dev/null || true
	teardown_test
}

tmux_() { env -u TMUX tmux -S "$WORK/tmux" "$@" 3>&- 4>&-; }
type_line() { tmux_ send-keys -l "$1" && tmux_ send-keys Enter; }
screen() { tmux_ capture-pane -p; }
on_screen() { screen | grep -qF -e "$1"; }
shows() { wait_for 15 on_screen "$1" || mismatch screen "$1" "$(screen)"; }

# The outer shell's prompt is the last line: what is typed before that may still go to the container.
prompted() { [[ $(screen | sed '/^ *$/d' | tail -n 1) =~ outer\>\ *$ ]]; }

# After hull's end: its exit status, and the terminal's modes as they were.
back_with() {
	wait_for 15 prompted || mismatch screen 'outer>' "$(screen)"
	type_line 'echo status=$?; stty -g >after; stty -a | tail -n +2 >>after; echo compared'
	shows "status=$1"
	shows "compared"
	wait_for 5 cmp --silent before after || mismatch "modes" "$(<before)" "$(<after)"
}

begin() {
	type_line "h run --bundle $BUNDLE $ID"
	shows '/ #'
}

@test "run: a prompt, an echo, the exit status, and the terminal as it was" {
	begin
	type_line 'echo computed $((6 * 7)) on $(tty)'
	shows 'computed 42 on /dev/pts/0'
	type_line 'exit 5'
	shows 'outer>'
	back_with 5
}

@test "run: the window's size, and its change" {
	begin
	type_line 'stty size'
	shows '30 100'
	tmux_ resize-window -x 77 -y 20
	wait_for 10 size_is '20 77'
	type_line 'exit'
	back_with 0
}

size_is() {
	type_line 'clear; stty size'
	sleep 0.3
	on_screen "$1"
}

@test "run: ^C and ^Z are the program's" {
	begin
	type_line 'trap "echo interrupted" INT; cat'
	sleep 0.5
	tmux_ send-keys C-c
	shows '^C'
	shows 'interrupted'
	type_line 'sleep 100'
	sleep 0.5
	tmux_ send-keys C-z
	shows 'Stopped'
	[ "$(state_of "$ID")" = running ]
	type_line 'kill %1; exit 3'
	type_line 'exit 3'
	back_with 3
}

@test "run: /dev/console is a terminal of the container's own" {
	begin
	type_line 'stat -c "console %F %t" /dev/console'
	shows 'console character special file 88' # 136
	type_line 'ls -l /dev/pts/0 | cut -c1; exit'
	back_with 0
}

@test "a program that is killed leaves the terminal as it was" {
	begin
	run_hull kill "$ID" KILL
	back_with 137
}

@test "exec -t: a prompt, the window's size, ^C, and the terminal as it was" {
	config '.process.terminal = false | .process.args = ["sleep", "1000"]'
	expect 0 create --bundle "$BUNDLE" "$ID"
	expect 0 start "$ID"
	type_line "h exec -t $ID sh"
	shows '/ #'
	type_line 'echo computed $((6 * 7)); stty size; tty'
	shows 'computed 42'
	shows '30 100'
	shows '/dev/pts/0'
	type_line 'sleep 1000'
	sleep 0.5
	tmux_ send-keys C-c
	shows '^C'
	type_line 'exit 9'
	back_with 9
	expect 0 delete --force "$ID"
}

@test "a megabyte through the terminal is complete" {
	config_args sh -c 'stty -opost; i=0; while [ $i -lt 16384 ]; do printf "%063d\n" $i; i=$((i+1)); done'
	# As a person's: script(1), which saves all of it. What tmux shows is only its end.
	in_terminal shown "$HULL" --root "$STATE" --log-level error run --bundle "$BUNDLE" "$ID"
	[ "$status" = 0 ]
	tr -d '\r' <shown >plain
	seq -f '%063.0f' 0 16383 >expected
	cmp plain expected || mismatch "output" "$(wc -c <expected) bytes" "$(wc -c <plain) bytes"
	type_line "h run --bundle $BUNDLE $ID"
	shows "$(printf '%063d' 16383)"
	back_with 0
}
