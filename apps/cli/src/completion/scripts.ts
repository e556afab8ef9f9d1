/** Shells whose completion there is. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** One of {@link SHELLS}. */
export type Shell = (typeof SHELLS)[number];

/** What stands for files among what `warmvm complete` says. */
export const FILES = ':files';

// What was typed is handed over as words and never evaluated: completing a line must run nothing of it.

const BASH = `# bash completion for warmvm: eval "$(warmvm completion bash)"
_warmvm() {
  local current="\${COMP_WORDS[COMP_CWORD]}" value description file
  [[ $current == = ]] && current=
  COMPREPLY=()
  while IFS=$'\\t' read -r value description; do
    if [[ $value == ${FILES} ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$current")
    else
      COMPREPLY+=("$value")
    fi
  done < <(warmvm complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _warmvm warmvm
`;

const ZSH = `#compdef warmvm
# zsh completion for warmvm: eval "$(warmvm completion zsh)" after compinit
_warmvm() {
  local -a candidates
  local value description
  while IFS=$'\\t' read -r value description; do
    if [[ $value == ${FILES} ]]; then
      compset -P '--*='
      _files
      return
    fi
    candidates+=("\${value//:/\\\\:}:$description")
  done < <(warmvm complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#candidates )) && _describe warmvm candidates
}
if [[ $funcstack[1] == _warmvm ]]; then _warmvm "$@"; else compdef _warmvm warmvm; fi
`;

const FISH = `# fish completion for warmvm: warmvm completion fish | source
function __warmvm_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -e words[1]
  for line in (warmvm complete -- $words "$current" 2>/dev/null)
    if test "$line" = ${FILES}
      set -l prefix (string match -r -- '^--[^=]*=' "$current")
      for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' "$current"))
        echo "$prefix$path"
      end
    else
      echo $line
    end
  end
end
complete -c warmvm -f -a '(__warmvm_complete)'
`;

/** By shell: what it evaluates to know how to complete. */
export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
