//! What planning finds in a configuration.

use mcplexer_detect::Reason;
use mcplexer_files::position::Position;
use mcplexer_files::reference::Reference;
use mcplexer_secrets::InvalidName;

use crate::server::Place;

/// A text of a server's entry, and what adopting does with it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The server's name; empty for a finding outside of the servers.
    pub server: String,
    /// The directory of the project that the server is for, in a file that has several.
    pub project: Option<String>,
    /// Which text of the entry it is.
    pub place: Place,
    /// Where in the file it is.
    pub position: Position,
    /// Why it looks like a credential; `None` if it does not.
    pub reason: Option<Reason>,
    /// What adopting does with it.
    pub outcome: Outcome,
    /// Whether it moves, and other programs still see it while the server runs.
    pub is_exposed: bool,
}

/// What adopting does with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Moves it to the store and leaves this reference.
    Secret(Reference),
    /// Leaves it in the file.
    Stays(Stays),
}

/// Why a text stays in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stays {
    /// It does not look like a credential.
    NoCredential,
    /// It is already a reference to a secret.
    Reference,
    /// It is a reference to a secret that the store does not have.
    Missing(Reference),
    /// It is a reference, but its server does not start through `mcplexer run`, which resolves it.
    Unresolved(Reference),
    /// It is a reference, but its server has a home directory of its own, in which mcplexer looks for its store.
    OtherStore,
    /// It begins like a reference, but is invalid.
    InvalidReference,
    /// The choice excludes it.
    NotChosen,
    /// It contains a variable, such as `${HOST}`, which the client replaces and mcplexer would not.
    Expanded,
    /// It is an argument, which other programs can see.
    Argument,
    /// It is an argument of a server that goes to `config.yaml`, whose commands have no references.
    Command,
    /// It is one of several credentials in an argument.
    SeveralInArgument,
    /// It is a header field, which the client sends itself.
    Header,
    /// It is in the URL of a server, to which the client connects itself.
    Url,
    /// It is in another member of a server, which the client reads itself.
    Member,
    /// It is in no server's entry, or in a comment.
    Outside,
    /// The server starts no command, or its command is a line for a shell.
    NoCommand,
    /// It is not a string but, for example, a number.
    NoString,
    /// The entry has several variables with this name.
    SeveralOfThisName,
    /// The variable's name cannot be the name of a secret.
    Name(InvalidName),
    /// Its variable takes over the command, which does this: `mcplexer run` would refuse it.
    TakesOver(&'static str),
    /// The environment cannot hold the value.
    Value,
    /// The string is escaped in a way that undoing could not reproduce.
    Escapes,
    /// Other parts of the file are the same node, by an alias of YAML.
    Shared,
    /// Other parts of the file are the same command or arguments.
    SharedCommand,
    /// The server starts with another home directory, in which mcplexer would look for its store.
    OtherHome,
    /// It is the path of a file with variables.
    OtherFile,
}
