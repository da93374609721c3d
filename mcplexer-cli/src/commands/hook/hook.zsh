_mcplexer_say() {
  printf 'mcplexer: %s\n' "$1" >&2
}
# Sets a variable, unless the user has one that could not be restored exactly.
_mcplexer_set() {
  emulate -L zsh
  local _mcplexer_kind
  case ${(Pt)1} in
    '') _mcplexer_kind=unset ;;
    scalar) _mcplexer_kind=plain ;;
    scalar-export) _mcplexer_kind=exported ;;
    *) _mcplexer_kept+="${_mcplexer_kept:+, }$1" && return ;;
  esac
  _mcplexer_names+=("$1") _mcplexer_kinds+=($_mcplexer_kind) _mcplexer_values+=("${(P)1-}")
  export "$1=$2" && export _mcplexer_loaded="${_mcplexer_loaded:+$_mcplexer_loaded:}$1"
}
_mcplexer_unload() {
  emulate -L zsh
  local _mcplexer_at _mcplexer_name _mcplexer_stuck=
  for (( _mcplexer_at = 1; _mcplexer_at <= $#_mcplexer_names; _mcplexer_at++ )); do
    _mcplexer_name=$_mcplexer_names[_mcplexer_at]
    # An error in one entry must not end the others.
    {
      [[ ${(Pt)_mcplexer_name} != *readonly* ]] || typeset -g +r "$_mcplexer_name"
      unset "$_mcplexer_name"
      case $_mcplexer_kinds[_mcplexer_at] in
        exported) export "$_mcplexer_name=$_mcplexer_values[_mcplexer_at]" ;;
        plain) typeset -g "$_mcplexer_name=$_mcplexer_values[_mcplexer_at]" ;;
      esac
    } always {
      (( ! TRY_BLOCK_ERROR )) || _mcplexer_stuck+="${_mcplexer_stuck:+, }$_mcplexer_name"
      TRY_BLOCK_ERROR=0
    }
  done
  if [[ -n $_mcplexer_stuck ]]; then
    _mcplexer_say "cannot take back $_mcplexer_stuck: end this shell"
  elif [[ -n ${1-} && $#_mcplexer_names -gt 0 ]]; then
    _mcplexer_say "$1"
  fi
  _mcplexer_names=() _mcplexer_kinds=() _mcplexer_values=() _mcplexer_kept=
  unset _mcplexer_loaded
}
# Says what is set. Another text goes on from it.
_mcplexer_told() {
  emulate -L zsh
  local _mcplexer_text="$1 sets ${_mcplexer_loaded//:/, }"
  [[ -n ${_mcplexer_loaded-} ]] || _mcplexer_text="$1 sets nothing"
  [[ -z $_mcplexer_kept ]] || _mcplexer_text+="; this shell keeps its own $_mcplexer_kept"
  _mcplexer_say "$_mcplexer_text$2"
}
_mcplexer_hook() {
  emulate -L zsh
  # A shell that prints what it runs would print values.
  unsetopt verbose xtrace
  local _mcplexer_code
  if _mcplexer_code=$(MCPLEXER hook zsh --loaded "$_mcplexer_state") || [[ $_mcplexer_code == _mcplexer_unload* ]]; then
    eval "$_mcplexer_code"
  else
    _mcplexer_unload 'took back the variables of the project'
    _mcplexer_state=
  fi
}
# What a shell above this one has set goes as if this one had set it.
_mcplexer_inherit() {
  emulate -L zsh
  local _mcplexer_name
  unset _mcplexer_state _mcplexer_kept _mcplexer_names _mcplexer_kinds _mcplexer_values
  typeset -g _mcplexer_state= _mcplexer_kept=
  typeset -ga _mcplexer_names _mcplexer_kinds _mcplexer_values
  for _mcplexer_name in ${(s.:.)_mcplexer_loaded-}; do
    if [[ $_mcplexer_name == [a-zA-Z_]* && $_mcplexer_name != *[^a-zA-Z0-9_]* ]]; then
      _mcplexer_state=inherited
      _mcplexer_names+=($_mcplexer_name) _mcplexer_kinds+=(unset) _mcplexer_values+=('')
    fi
  done
}
typeset -ga precmd_functions
(( ${precmd_functions[(I)_mcplexer_hook]} )) || _mcplexer_inherit
autoload -Uz add-zsh-hook
add-zsh-hook precmd _mcplexer_hook
