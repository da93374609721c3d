//! `completions` and `man`: generated from the definition of the command line.

use std::io::{self, Write};

use clap::{Command, CommandFactory};

use crate::cli::{ABOUT, Cli, ENVIRONMENT};
use crate::complete;
use crate::exit_code;
use crate::failure::{Failure, no_command};
use crate::output::print;

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    if let Some(script) = complete::script(shell) {
        return print(&script);
    }
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut without_hidden(), "mcplexer", &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// Returns the command line without hidden commands and options, which completions would otherwise
/// offer.
fn without_hidden() -> Command {
    let whole = Cli::command();
    let shown = whole.get_subcommands().filter(|it| !it.is_hide_set());
    Command::new("mcplexer")
        .about(ABOUT)
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(ENVIRONMENT)
        .subcommand_required(true)
        .args(whole.get_arguments())
        .subcommands(shown.cloned())
}

pub(crate) fn man(path: &[String]) -> Result<(), Failure> {
    let mut root = without_hidden();
    root.build();
    let mut command = &root;
    for word in path {
        command = command.find_subcommand(word).ok_or_else(|| {
            let group = command.get_bin_name().unwrap_or("mcplexer");
            Failure::new(no_command(group, word, command))
                .with_hint("mcplexer help lists the commands")
                .with_code(exit_code::USAGE)
        })?;
    }
    let page = page(command)
        .map_err(|error| Failure::new(format!("cannot make the manual page: {error}")))?;
    print(&String::from_utf8_lossy(&page))
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let page = clap_mangen::Man::new(command.clone())
        .source(concat!("mcplexer ", env!("CARGO_PKG_VERSION")))
        .manual("mcplexer manual");
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    let mut below = command
        .get_subcommands()
        .filter(|it| it.get_name() != "help" && !it.is_hide_set())
        .peekable();
    if below.peek().is_some() {
        writeln!(text, ".SH COMMANDS")?;
    }
    for command in below {
        let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
        let about = command.get_about().map(ToString::to_string);
        let about = about.unwrap_or_default();
        write!(text, ".TP\n{}\n{}\n", roff(name), roff(&about))?;
    }
    let end = command.get_after_help().map(ToString::to_string);
    for (title, part) in parts(&end.unwrap_or_default()) {
        // Unfilled, because it has columns.
        write!(text, ".SH {title}\n.nf\n{}\n.fi\n", roff(&part))?;
    }
    Ok(text)
}

/// Splits the end of a help into the parts of a manual page, in its order.
fn parts(help: &str) -> Vec<(&'static str, String)> {
    let titles = ["NOTES", "EXAMPLES", "FILES", "ENVIRONMENT"];
    let mut parts = titles.map(|title| (title, String::new()));
    for paragraph in help.split("\n\n") {
        let (heading, below) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
        let known = heading.strip_suffix(':').map(str::to_uppercase);
        let known = known.filter(|it| titles.contains(&it.as_str()));
        let text = if known.is_some() { below } else { paragraph };
        let title = known.as_deref().unwrap_or("NOTES");
        for (_, part) in parts.iter_mut().filter(|(it, _)| *it == title) {
            if !part.is_empty() {
                part.push_str("\n\n");
            }
            part.push_str(text);
        }
    }
    parts
        .into_iter()
        .filter(|(_, part)| !part.is_empty())
        .collect()
}

/// Escapes a text so that nothing in it is a roff command.
fn roff(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        match line.starts_with(['.', '\'']) {
            true => format!("\\&{line}"),
            false => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}
