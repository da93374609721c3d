set -q _mcplexer_state; or set -g _mcplexer_state ''
set -q _mcplexer_undo; or set -g _mcplexer_undo
function _mcplexer_set
    set -l name $argv[1]
    if set -qgx $name
        set -ga _mcplexer_undo "set -gx $name "(string escape -- $$name | string join ' ')
    else if set -qg $name
        set -ga _mcplexer_undo "set -gu $name "(string escape -- $$name | string join ' ')
    else
        set -ga _mcplexer_undo "set -eg $name"
    end
    set -gx $name $argv[2]
end
function _mcplexer_unload
    for line in $_mcplexer_undo
        eval $line
    end
    set -g _mcplexer_undo
end
function _mcplexer_hook --on-event fish_prompt
    MCPLEXER hook fish --loaded "$_mcplexer_state" | source
end
