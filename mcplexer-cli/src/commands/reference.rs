//! `completions` and `man`: made from the command line's own description.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::exit_code;
use crate::failure::Failure;
use crate::output::print;

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mcplexer", &mut script);
    print(&String::from_utf8_lossy(&script))
}

pub(crate) fn man(path: &[String]) -> Result<(), Failure> {
    let mut root = Cli::command();
    root.build();
    let mut command = &root;
    for word in path {
        command = command.find_subcommand(word).ok_or_else(|| {
            Failure::new(format!("there is no command mcplexer {}", path.join(" ")))
                .with_hint("mcplexer help lists the commands")
                .with_code(exit_code::USAGE)
        })?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .map_err(|error| Failure::new(format!("cannot make the manual page: {error}")))?;
    print(&String::from_utf8_lossy(&page))
}
