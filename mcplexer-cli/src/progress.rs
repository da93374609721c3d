//! How far a long piece of work has come.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mcplexer_secrets::Progress;

use crate::cli::Global;

/// A bar on the terminal; nothing where standard error is none.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar for what is being done to all secrets, such as `re-keying`.
    pub(crate) fn new(doing: &'static str, global: Global) -> Self {
        let bar = ProgressBar::with_draw_target(None, target(global));
        let template = format!("{doing} {{bar:30}} {{human_pos}} of {{human_len}} secrets");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("━━─"));
        }
        Self(bar)
    }

    /// Leaves the bar where it is.
    pub(crate) fn keep(self) {
        self.0.abandon();
    }

    pub(crate) fn show(&self, progress: Progress) {
        // The first call tells how many there are.
        if self.0.length().is_none() {
            self.0.set_length(progress.total);
        }
        self.0.set_position(progress.done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn target(global: Global) -> ProgressDrawTarget {
    if global.quiet {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    }
}
