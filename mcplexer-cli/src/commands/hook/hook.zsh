typeset -g _mcplexer_state _mcplexer_undo
_mcplexer_set() {
  emulate -L zsh
  _mcplexer_undo+="unset $1;"
  if [[ ${(Pt)1} == *export* ]]; then
    _mcplexer_undo+="export $1=${(qq)${(P)1}};"
  elif [[ -v $1 ]]; then
    _mcplexer_undo+="typeset -g $1=${(qq)${(P)1}};"
  fi
  export "$1=$2"
}
_mcplexer_unload() {
  eval "$_mcplexer_undo"
  _mcplexer_undo=
}
_mcplexer_hook() {
  eval "$(MCPLEXER hook zsh --loaded "$_mcplexer_state")"
}
autoload -Uz add-zsh-hook
add-zsh-hook precmd _mcplexer_hook
