# bash completion for hull and hull-oci
# shellcheck shell=bash

_hull() {
	local candidates line word words=()

	# bash takes --name=value for three words.
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word == = ]] || words+=("$word")
	done
	mapfile -t candidates < <("$1" __complete -- "${words[@]}" "$2" 2>/dev/null)
	COMPREPLY=()
	case ${candidates[0]-} in
	:directory)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$2")
		;;
	:file)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		;;
	*)
		for line in "${candidates[@]}"; do
			COMPREPLY+=("${line%%$'\t'*}")
		done
		;;
	esac
}

complete -F _hull hull hull-oci
