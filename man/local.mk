dist_man1_MANS = man/hull.1
dist_man8_MANS = man/hull-oci.8

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = completions/hull.bash
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = completions/_hull
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_fishcompletion_DATA = completions/hull.fish
