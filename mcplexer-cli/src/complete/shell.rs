//! What the script of each shell says, and what it gets.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Write;

use clap_complete::engine::CompletionCandidate;
use clap_complete::env::{Bash, EnvCompleter, Fish};

use super::VARIABLE;
use super::line::{Words, unquoted};

/// The name of the command, which is also that of the program: it is looked up in PATH.
const NAME: &str = "mcplexer";

/// The engine's script for zsh types a space behind `mcplexer://SCOPE/`, and completes nothing at the first Tab when it
/// is installed in `fpath`: zsh runs the script then, as the function that completes.
const ZSH: &str = r#"#compdef mcplexer
_mcplexer_complete() {
    local answer
    local -a whole begun
    for answer in "${(@f)$(
        MCPLEXER_COMPLETE=zsh _CLAP_COMPLETE_INDEX=$((CURRENT - 1)) mcplexer -- "${(@Q)words}" 2>/dev/null
    )}"; do
        case $answer in
            '') ;;
            *[/=]) begun+=("$answer") ;;
            *) whole+=("$answer") ;;
        esac
    done
    (( $#whole )) && _describe -V values whole
    (( $#begun )) && _describe -V values begun -S ''
}
if [[ $funcstack[1] == _mcplexer ]]; then
    _mcplexer_complete "$@"
else
    compdef _mcplexer_complete mcplexer
fi
"#;

/// A shell whose completions know names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    pub(super) fn named(name: &OsStr) -> Option<Self> {
        match name.to_str()? {
            "bash" => Some(Self::Bash),
            "zsh" => Some(Self::Zsh),
            "fish" => Some(Self::Fish),
            _ => None,
        }
    }

    /// Returns the script to run in the shell.
    pub(super) fn script(self) -> Option<String> {
        let shell: &dyn EnvCompleter = match self {
            Self::Bash => &Bash,
            Self::Fish => &Fish,
            Self::Zsh => return Some(ZSH.to_owned()),
        };
        let mut script = Vec::new();
        let written = shell.write_registration(VARIABLE, NAME, NAME, NAME, &mut script);
        String::from_utf8(written.is_ok().then_some(script)?).ok()
    }

    /// Returns the words that the script passes on.
    pub(super) fn words(self, words: Vec<OsString>) -> Words {
        let index = env::var("_CLAP_COMPLETE_INDEX").ok();
        let index = index.and_then(|it| it.parse().ok());
        let last = words.len().saturating_sub(1);
        match self {
            Self::Bash => Words::new(words, index.unwrap_or(last)).joined(),
            Self::Zsh => Words::new(words, index.unwrap_or(last)),
            Self::Fish => {
                let mut words = words;
                // Only this one is passed on as it is typed.
                let current = words.pop().map(unquoted);
                words.extend(current);
                Words::new(words, last)
            }
        }
    }

    /// Returns the candidates as the script reads them.
    pub(super) fn text(self, words: &Words, candidates: &[CompletionCandidate]) -> String {
        let mut text = String::new();
        let separator = env::var("_CLAP_IFS").unwrap_or_else(|_| "\n".to_owned());
        for candidate in candidates {
            let Some(value) = candidate.get_value().to_str() else {
                continue;
            };
            let help = candidate.get_help().map(ToString::to_string);
            let help = help.as_deref().and_then(|it| it.lines().next());
            match self {
                Self::Bash => {
                    let Some(value) = words.inserted(value) else {
                        continue;
                    };
                    if !text.is_empty() {
                        text.push_str(&separator);
                    }
                    push_escaped(&mut text, value, is_special);
                }
                Self::Zsh => {
                    if !text.is_empty() {
                        text.push_str(&separator);
                    }
                    push_escaped(&mut text, value, |it| matches!(it, '\\' | ':'));
                    if let Some(help) = help {
                        text.push(':');
                        push_escaped(&mut text, help, |it| it == '\\');
                    }
                }
                Self::Fish => {
                    text.push_str(value);
                    if let Some(help) = help {
                        // Writing to a string does not fail.
                        let _infallible = write!(text, "\t{help}");
                    }
                    text.push('\n');
                }
            }
        }
        text
    }
}

fn push_escaped(text: &mut String, value: &str, is_special: impl Fn(char) -> bool) {
    for character in value.chars() {
        if is_special(character) {
            text.push('\\');
        }
        text.push(character);
    }
}

/// Whether bash takes a character for something else than itself.
fn is_special(character: char) -> bool {
    character.is_ascii()
        && !character.is_ascii_alphanumeric()
        && !"_-./,+=:@%^~".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_written_as_each_shell_reads_them() {
        let words = Words::new(vec!["m".into(), "".into()], 1);
        let candidates = [
            CompletionCandidate::new("a b:c").help(Some("first\nsecond".into())),
            CompletionCandidate::new("d"),
        ];
        for (shell, text) in [
            (Shell::Bash, "a\\ b:c\nd"),
            (Shell::Zsh, "a b\\:c:first\nd"),
            (Shell::Fish, "a b:c\tfirst\nd\n"),
        ] {
            assert_eq!(shell.text(&words, &candidates), text, "{shell:?}");
        }
    }
}
