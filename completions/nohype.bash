# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# bash completion for nohype(1): commands, VMs that nohyped knows, files.

_nohype_names() {
  nohype list --json 2>/dev/null | grep -o '"name":"[^"]*"' | cut -d '"' -f 4
}

_nohype() {
  local word=${COMP_WORDS[COMP_CWORD]} words=
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    words=$(nohype help | sed -n 's,^  \([a-z][a-z]*\) .*,\1,p')
  else
    case ${COMP_WORDS[1]} in
    seal | stop | abort | show | delete | exits | console | logs | start) words=$(_nohype_names) ;;
    host) [ "$COMP_CWORD" != 2 ] || words="topology plan apply status undo noise" ;;
    explain) words="exits checks steps" ;;
    help) words="$(nohype help | sed -n 's,^  \([a-z][a-z]*\) .*,\1,p') exit-codes" ;;
    esac
    case ${COMP_WORDS[1]} in
    run | check | start | report | doctor) compopt -o default ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _nohype nohype
