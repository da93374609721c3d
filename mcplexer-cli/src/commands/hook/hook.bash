: "${_mcplexer_state=}" "${_mcplexer_undo=}"
_mcplexer_set() {
  local flags
  flags=$(declare -p "$1" 2>/dev/null)
  flags=${flags#declare -}
  flags=${flags%% *}
  _mcplexer_undo+="unset $1;"
  if [[ -n ${!1+x} && $flags == *x* ]]; then
    _mcplexer_undo+="export $1=$(printf %q "${!1}");"
  elif [[ -n ${!1+x} ]]; then
    _mcplexer_undo+="$1=$(printf %q "${!1}");"
  elif [[ $flags == *x* ]]; then
    _mcplexer_undo+="export $1;"
  fi
  export "$1=$2"
}
_mcplexer_unload() {
  eval "$_mcplexer_undo"
  _mcplexer_undo=
}
_mcplexer_hook() {
  local previous=$?
  eval "$(MCPLEXER hook bash --loaded "$_mcplexer_state")"
  return "$previous"
}
if [[ ";${PROMPT_COMMAND[*]:-};" != *_mcplexer_hook* ]]; then
  PROMPT_COMMAND="_mcplexer_hook${PROMPT_COMMAND:+;$PROMPT_COMMAND}"
fi
