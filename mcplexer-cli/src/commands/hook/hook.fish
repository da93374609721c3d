# What a shell above this one has set goes as if this one had set it. A function is never inherited.
if not functions -q _mcplexer_hook
    set -eg _mcplexer_state
    set -g _mcplexer_state ''
    set -g _mcplexer_undo
    set -g _mcplexer_kept
    for _mcplexer_name in (string split : -- "$_mcplexer_loaded" | string match -r '^[a-zA-Z_][a-zA-Z0-9_]*$')
        set -g _mcplexer_state inherited
        set -ga _mcplexer_undo "unset $_mcplexer_name"
    end
end
function _mcplexer_say
    printf 'mcplexer: %s\n' $argv[1] >&2
end
# Sets a variable, unless the shell does not let it.
function _mcplexer_set
    set -l _mcplexer_kind unset
    if set -qgx $argv[1]
        set _mcplexer_kind exported
    else if set -qg $argv[1]
        set _mcplexer_kind plain
    end
    set -g _mcplexer_old_$argv[1] $$argv[1]
    if not set -gx $argv[1] $argv[2] 2>/dev/null
        set -eg _mcplexer_old_$argv[1]
        set -ga _mcplexer_kept $argv[1]
        return
    end
    set -ga _mcplexer_undo "$_mcplexer_kind $argv[1]"
    set -q _mcplexer_loaded; and set -gx _mcplexer_loaded $_mcplexer_loaded:$argv[1]; or set -gx _mcplexer_loaded $argv[1]
end
function _mcplexer_unload
    for _mcplexer_entry in $_mcplexer_undo
        set -l _mcplexer_kind (string split ' ' -- $_mcplexer_entry)
        set -l _mcplexer_name $_mcplexer_kind[2]
        set -l _mcplexer_old _mcplexer_old_$_mcplexer_name
        set -eg $_mcplexer_name
        switch $_mcplexer_kind[1]
            case exported
                set -gx $_mcplexer_name $$_mcplexer_old
            case plain
                set -gu $_mcplexer_name $$_mcplexer_old
        end
        set -eg $_mcplexer_old
    end
    if set -q argv[1] _mcplexer_undo[1]
        _mcplexer_say $argv[1]
    end
    set -g _mcplexer_undo
    set -g _mcplexer_kept
    set -eg _mcplexer_loaded
end
# Says what is set. Another text goes on from it.
function _mcplexer_told
    set -l _mcplexer_text "$argv[1] sets nothing"
    if set -q _mcplexer_loaded
        set _mcplexer_text "$argv[1] sets "(string replace -a : ', ' -- $_mcplexer_loaded)
    end
    if set -q _mcplexer_kept[1]
        set _mcplexer_text "$_mcplexer_text; this shell keeps its own "(string join ', ' -- $_mcplexer_kept)
    end
    _mcplexer_say "$_mcplexer_text$argv[2]"
end
function _mcplexer_hook --on-event fish_prompt
    # A shell that prints what it runs would print values.
    set -l fish_trace
    set -l _mcplexer_code (MCPLEXER hook fish --loaded "$_mcplexer_state")
    if test $status -eq 0; or string match -q '_mcplexer_unload*' -- $_mcplexer_code[1]
        printf '%s\n' $_mcplexer_code | source
    else
        _mcplexer_unload 'took back the variables of the project'
        set -g _mcplexer_state ''
    end
end
