# SPDX-License-Identifier: GPL-2.0-only
# fish completion for nohype(1): commands, VMs that nohyped knows, files.

function __nohype_commands
    nohype help | string match -r '^  [a-z]+ ' | string trim
end

function __nohype_names
    nohype list --json 2>/dev/null | string match -ar '"name":"([^"]*)"' --groups-only
end

complete -c nohype -n __fish_use_subcommand -f -a '(__nohype_commands)'
complete -c nohype -n '__fish_seen_subcommand_from seal stop abort show delete exits console logs start' -a '(__nohype_names)'
complete -c nohype -n '__fish_seen_subcommand_from seal stop abort show delete exits console logs list top events recover' -f
complete -c nohype -n '__fish_seen_subcommand_from host' -f -a 'topology plan apply status undo noise'
complete -c nohype -n '__fish_seen_subcommand_from explain' -f -a 'exits checks steps'
complete -c nohype -n '__fish_seen_subcommand_from help' -f -a 'exit-codes (__nohype_commands)'
