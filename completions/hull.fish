# fish completion for hull and hull-oci

function __hull_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l candidates ($words[1] __complete -- $words[2..-1] 2>/dev/null)

    switch "$candidates[1]"
        case :directory
            __fish_complete_directories (commandline -ct)
        case :file
            __fish_complete_path (commandline -ct)
        case '*'
            printf '%s\n' $candidates
    end
end

complete -c hull -f -a '(__hull_complete)'
complete -c hull-oci -f -a '(__hull_complete)'
