//! The command line, as clap reads it. A type that may hold a value has no `Debug`.

mod address;
mod adopt;
mod audit;
mod backup;
mod calls;
mod config;
mod examples;
mod exchange;
#[cfg(feature = "serve")]
mod gateway;
mod key;
mod later;
mod moves;
mod names;
mod project;
mod run;
mod scan;
mod scope;
mod secret;
mod server;
mod store;
mod when;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use address::{positional, split};
pub(crate) use adopt::{Adopt, Variable};
pub(crate) use audit::{Audit, ShowAudit};
pub(crate) use backup::{Backup, BackupFile};
pub(crate) use calls::Calls;
pub(crate) use config::{Config, ConfigFrom};
pub(crate) use exchange::{Export, Import};
#[cfg(feature = "serve")]
pub(crate) use gateway::{Client, Connect, HTTP_ADDRESS, InstallClient, Serve, Ui};
pub(crate) use key::{AddKey, Key};
pub(crate) use later::Later;
pub(crate) use moves::{Copy, Move, Over, Rename};
pub(crate) use names::Named;
pub(crate) use project::{Hook, HookShell, Trust};
pub(crate) use run::{Inject, Run};
pub(crate) use scan::{Scan, ScanFormat};
pub(crate) use scope::{Kind, Scope};
pub(crate) use secret::{Characters, Clip, Edit, Generate, Get, List, Newline, Put, Said, Secret};
pub(crate) use server::{AddServer, Server};
pub(crate) use store::Store;

use crate::{exit_code, style};

pub(crate) const ABOUT: &str =
    "Keep API tokens out of your MCP configs: an encrypted local secret store";

pub(crate) const ENVIRONMENT: &str = "\
Examples:
  mcplexer adopt .mcp.json                # which credentials are in this file?
  mcplexer secret put github TOKEN        # asks for the value
  mcplexer run --scope github -- npx -y @modelcontextprotocol/server-github

Files:
  ~/.mcplexer/secrets.redb  the store, unless MCPLEXER_STORE names a server
  ~/.mcplexer/age.key       the key that opens it
  ~/.mcplexer/audit.log     who used which secret
  ~/.mcplexer/config.yaml   scopes, tool servers and clients; never a value

Environment:
  MCPLEXER_HOME            directory of the store (default: ~/.mcplexer)
  MCPLEXER_AGE_KEY         age key file (default: age.key in that directory)
  MCPLEXER_AGE_IDENTITY    age identity itself, for CI
  MCPLEXER_PROFILE         profile of a project's mcplexer.yaml
  MCPLEXER_STORE           store of a team: postgres://… or etcd://… (default: the file in that directory)
  MCPLEXER_STORE_PASSWORD  password for that server
  MCPLEXER_STORE_CACHE     local copy for when that server is away: `off`, or how old it may be (12h)
  MCPLEXER_AUDIT           audit log: a file, `stderr` or `off` (default: audit.log in that directory)
  NO_COLOR                 no colours, if it is not empty; CLICOLOR_FORCE shows them everywhere
  COLUMNS, TZ, PAGER       width of tables, time zone of times, and what shows a long log

Paths of MCPLEXER_… begin with / or ~/.

mcplexer help exit-codes lists the exit codes.";

/// Keep API tokens out of your MCP configs.
#[derive(Parser)]
#[command(name = "mcplexer", version, about = ABOUT, after_help = ENVIRONMENT, styles = style::HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Global {
    /// Print only errors
    #[arg(short, long, global = true, display_order = 100)]
    pub(crate) quiet: bool,
    /// Fail instead of asking
    #[arg(long, global = true, display_order = 101)]
    pub(crate) no_input: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create a key and a store, unless they exist; the first secret put does so too
    #[command(after_help = examples::INIT)]
    Init,
    /// Store, read, list and delete secrets
    #[command(subcommand, after_help = examples::SECRET)]
    Secret(Later<Secret>),
    /// Create, list, show and delete scopes (groups of secrets, one for each tool server)
    #[command(subcommand, after_help = examples::SCOPE)]
    Scope(Later<Scope>),
    /// Define scopes and tool servers in config.yaml, which never holds a value
    #[command(subcommand, after_help = examples::CONFIG)]
    Config(Later<Config>),
    /// Add, list, show and remove the tool servers in config.yaml; test and restart them
    #[command(subcommand, after_help = examples::SERVER)]
    Server(Later<Server>),
    /// Serve the tool servers in config.yaml to AI clients, with their credentials
    #[cfg(feature = "serve")]
    Serve(Later<Serve>),
    /// Connect an AI client to the gateway that serves every client, which is started if needed
    #[cfg(feature = "serve")]
    Connect(Later<Connect>),
    /// Open the page in a browser: secrets, servers and calls
    #[cfg(feature = "serve")]
    Ui(Later<Ui>),
    /// Show what the gateway does: its servers and clients
    #[cfg(feature = "serve")]
    #[command(after_help = examples::STATUS)]
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Connect AI clients to the gateway
    #[cfg(feature = "serve")]
    #[command(subcommand, after_help = examples::CLIENT)]
    Client(Later<Client>),
    /// Run a command with secrets in its environment
    #[command(alias = "exec")]
    Run(Later<Run>),
    /// Trust the mcplexer.yaml of a project, as it is now
    Trust(Later<Trust>),
    /// Print a hook with which a shell loads the secrets of a project
    Hook(Later<Hook>),
    /// Fill in a template: replace each mcplexer://SCOPE/KEY with its secret
    Inject(Later<Inject>),
    /// Move the credentials in an AI client's configuration into the store
    Adopt(Later<Adopt>),
    /// Store the secrets of a .env, JSON or YAML file
    Import(Later<Import>),
    /// Write the secrets of a scope as a .env, JSON, YAML or shell file
    Export(Later<Export>),
    /// Find values of the store, or any credentials, in files and in staged changes
    Scan(Later<Scan>),
    /// Manage the keys that open the store: replace, add, remove, recover
    #[command(subcommand, after_help = examples::KEY)]
    Key(Later<Key>),
    /// Back up the store to one age file, and restore it
    #[command(subcommand, after_help = examples::BACKUP)]
    Backup(Later<Backup>),
    /// Move the store to a server and back, and delete what that leaves
    #[command(subcommand, after_help = examples::STORE)]
    Store(Later<Store>),
    /// Check for problems and say how to fix them
    #[command(after_help = examples::DOCTOR)]
    Doctor {
        /// Fix what can be fixed without risk, and say what was done
        #[arg(long)]
        fix: bool,
        /// Fail for warnings as well
        #[arg(long)]
        strict: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Erase the remains of deleted and replaced secrets from the store file
    #[command(after_help = examples::COMPACT)]
    Compact,
    /// Show and verify the log of who used which secret
    #[command(subcommand, after_help = examples::AUDIT)]
    Audit(Later<Audit>),
    /// Show who called which tool through the gateway
    Calls(Later<Calls>),
    /// Print a completion script for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// Shell
        shell: clap_complete::Shell,
    },
    /// Print a manual page
    #[command(after_help = examples::MAN)]
    Man {
        /// Command that the page is about, such as `secret put`
        command: Vec<String>,
    },
    /// Print the version
    #[command(hide = true)]
    Version,
    /// List the exit codes
    #[command(name = "exit-codes", hide = true, long_about = exit_code::HELP, help_template = "{about}\n")]
    ExitCodes,
}

/// Parses arguments, of which the first is the program's name. Returns the names among them as well.
pub(crate) fn parsed(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<(Cli, Named), clap::Error> {
    let mut command = Cli::command();
    let mut matches = command.try_get_matches_from_mut(split(arguments))?;
    let named = Named::of(&matches);
    let cli = Cli::from_arg_matches_mut(&mut matches);
    let cli = cli.map_err(|error| error.format(&mut command))?;
    Ok((cli, named))
}

/// Returns the whole command line, with what is [built later](Later).
pub(crate) fn whole() -> clap::Command {
    let mut whole = Cli::command().disable_help_subcommand(true);
    whole.build();
    whole
}

/// Returns the file that an argument names; `None` for standard input or output, which `-` is as well.
pub(crate) fn named_file(argument: Option<&Path>) -> Option<&Path> {
    argument.filter(|path| path.as_os_str() != "-")
}

/// Parses the name of a file where no stream will do: a backup is read twice, and written in one step.
fn file_not_stream() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path == Path::new("-") {
        true => Err("takes the name of a file, not a stream; ./- is a file of that name"),
        false => Ok(path),
    })
}

/// Parses a number.
fn number(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "takes a number, such as 3")
}
