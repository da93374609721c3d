_mcplexer_say() {
  printf 'mcplexer: %s\n' "$1" >&2
}
# Sets a variable, unless the user has one that could not be restored exactly.
_mcplexer_set() {
  local _mcplexer_kind _mcplexer_is
  _mcplexer_is=$(declare -p "$1" 2>/dev/null)
  case $_mcplexer_is in
    '') _mcplexer_kind=unset ;;
    'declare -- '*) _mcplexer_kind=${!1+plain} ;;
    'declare -x '*) _mcplexer_kind=${!1+exported} _mcplexer_kind=${_mcplexer_kind:-named} ;;
    *) _mcplexer_kept+="${_mcplexer_kept:+, }$1" && return ;;
  esac
  _mcplexer_names+=("$1") _mcplexer_kinds+=("${_mcplexer_kind:-unset}") _mcplexer_values+=("${!1-}")
  export "$1=$2" && export _mcplexer_loaded="${_mcplexer_loaded:+$_mcplexer_loaded:}$1"
}
_mcplexer_unload() {
  local _mcplexer_at _mcplexer_name _mcplexer_stuck=
  for ((_mcplexer_at = 0; _mcplexer_at < ${#_mcplexer_names[@]}; _mcplexer_at++)); do
    _mcplexer_name=${_mcplexer_names[_mcplexer_at]}
    if ! unset -v "$_mcplexer_name" 2>/dev/null; then
      export -n "$_mcplexer_name" 2>/dev/null
      _mcplexer_stuck+="${_mcplexer_stuck:+, }$_mcplexer_name"
      continue
    fi
    case ${_mcplexer_kinds[_mcplexer_at]} in
      exported) export "$_mcplexer_name=${_mcplexer_values[_mcplexer_at]}" ;;
      named) export "$_mcplexer_name" ;;
      plain) printf -v "$_mcplexer_name" %s "${_mcplexer_values[_mcplexer_at]}" ;;
    esac
  done
  if [[ -n $_mcplexer_stuck ]]; then
    _mcplexer_say "cannot take back $_mcplexer_stuck, which this shell has made readonly: end this shell"
  elif [[ -n ${1-} && ${#_mcplexer_names[@]} -gt 0 ]]; then
    _mcplexer_say "$1"
  fi
  _mcplexer_names=() _mcplexer_kinds=() _mcplexer_values=() _mcplexer_kept=
  unset -v _mcplexer_loaded
}
# Says what is set. Another text goes on from it.
_mcplexer_told() {
  local _mcplexer_text=${_mcplexer_loaded-}
  _mcplexer_text="$1 sets ${_mcplexer_text//:/, }"
  [[ -n ${_mcplexer_loaded-} ]] || _mcplexer_text="$1 sets nothing"
  [[ -z $_mcplexer_kept ]] || _mcplexer_text+="; this shell keeps its own $_mcplexer_kept"
  _mcplexer_say "$_mcplexer_text$2"
}
_mcplexer_hook() {
  local _mcplexer_previous=$? _mcplexer_code _mcplexer_flags=$-
  # A shell that prints what it runs would print values. Shells before 4.4 have no `local -`.
  { set +vx; } 2>/dev/null
  if _mcplexer_code=$(MCPLEXER hook bash --loaded "$_mcplexer_state") || [[ $_mcplexer_code == _mcplexer_unload* ]]; then
    eval "$_mcplexer_code"
  else
    _mcplexer_unload 'took back the variables of the project'
    _mcplexer_state=
  fi
  case $_mcplexer_flags in *v*) set -v ;; esac
  case $_mcplexer_flags in *x*) set -x ;; esac
  return "$_mcplexer_previous"
}
# What a shell above this one has set goes as if this one had set it. An array is never inherited.
_mcplexer_inherit() {
  local _mcplexer_rest=${_mcplexer_loaded-}: _mcplexer_name
  unset -v _mcplexer_state _mcplexer_kept
  _mcplexer_state= _mcplexer_kept= _mcplexer_names=() _mcplexer_kinds=() _mcplexer_values=()
  while [[ $_mcplexer_rest == *:* ]]; do
    _mcplexer_name=${_mcplexer_rest%%:*} _mcplexer_rest=${_mcplexer_rest#*:}
    if [[ $_mcplexer_name == [a-zA-Z_]* && $_mcplexer_name != *[!a-zA-Z0-9_]* ]]; then
      _mcplexer_state=inherited
      _mcplexer_names+=("$_mcplexer_name") _mcplexer_kinds+=(unset) _mcplexer_values+=('')
    fi
  done
}
[[ $(declare -p _mcplexer_names 2>/dev/null) == 'declare -a'* ]] || _mcplexer_inherit
if [[ ";${PROMPT_COMMAND[*]:-};" != *_mcplexer_hook* ]]; then
  PROMPT_COMMAND="_mcplexer_hook${PROMPT_COMMAND:+;$PROMPT_COMMAND}"
fi
