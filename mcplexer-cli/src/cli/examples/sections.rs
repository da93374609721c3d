//! The files and variables that commands depend on, as the end of their help.

/// The variables about a store on a server, of every command that opens one.
macro_rules! server_variables {
    () => {
        concat!(
            "  MCPLEXER_STORE           the store of a team: postgres://… or etcd://…\n",
            "  MCPLEXER_STORE_PASSWORD  the password for its server\n",
            "  MCPLEXER_STORE_CACHE     the copy for when that is away: off, or how old it may be (12h)"
        )
    };
}

/// Of a command that opens the store.
macro_rules! store {
    () => {
        concat!(
            "\n\nFiles:\n",
            "  ~/.mcplexer/secrets.redb  the store, unless MCPLEXER_STORE names a server\n",
            "  ~/.mcplexer/age.key       the key that opens it\n",
            "  ~/.mcplexer/audit.log     who used which secret\n",
            "\nEnvironment:\n",
            "  MCPLEXER_HOME            another directory than ~/.mcplexer\n",
            $crate::cli::examples::sections::server_variables!(),
            "\n",
            "  MCPLEXER_AGE_KEY         another key file\n",
            "  MCPLEXER_AGE_IDENTITY    the key itself, for CI\n",
            "  MCPLEXER_AUDIT           another log: a file, stderr or off"
        )
    };
}

/// Of a command that reads the audit log.
macro_rules! log {
    () => {
        concat!(
            "\n\nFiles:\n",
            "  ~/.mcplexer/audit.log     who used which secret\n",
            "  ~/.mcplexer/secrets.redb  the store, unless MCPLEXER_STORE names a server; it vouches for the log\n",
            "\nEnvironment:\n",
            "  MCPLEXER_HOME            another directory than ~/.mcplexer\n",
            $crate::cli::examples::sections::server_variables!(),
            "\n",
            "  MCPLEXER_AUDIT           another log: a file\n",
            "  TZ                       the time zone of times on a terminal\n",
            "  PAGER                    what shows a long log on a terminal (default: less)"
        )
    };
}

/// Of a command that only needs the definitions.
macro_rules! config {
    () => {
        concat!(
            "\n\nFiles:\n",
            "  ~/.mcplexer/config.yaml  scopes, tool servers and clients; never a value\n",
            "\nEnvironment:\n",
            "  MCPLEXER_HOME  another directory than ~/.mcplexer"
        )
    };
}

/// Of a command about definitions and the store.
macro_rules! config_and_store {
    () => {
        concat!(
            "\n\nFiles:\n",
            "  ~/.mcplexer/config.yaml   scopes, tool servers and clients; never a value\n",
            "  ~/.mcplexer/secrets.redb  the store, unless MCPLEXER_STORE names a server\n",
            "\nEnvironment:\n",
            "  MCPLEXER_HOME            another directory than ~/.mcplexer\n",
            $crate::cli::examples::sections::server_variables!(),
            "\n",
            "  MCPLEXER_AGE_KEY         another key file than age.key in it"
        )
    };
}

/// Of a command about the gateway.
#[cfg(feature = "serve")]
macro_rules! gateway {
    () => {
        concat!(
            "\n\nFiles:\n",
            "  ~/.mcplexer/config.yaml      the tool servers, and which of them each client sees\n",
            "  ~/.mcplexer/gateway.clients  the clients that may connect over HTTP\n",
            "  ~/.mcplexer/run/             the socket and the log of the gateway that runs\n",
            "\nEnvironment:\n",
            "  MCPLEXER_HOME            another directory than ~/.mcplexer\n",
            $crate::cli::examples::sections::server_variables!(),
            "\n",
            "  MCPLEXER_AGE_KEY         another key file\n",
            "  MCPLEXER_AGE_IDENTITY    the key itself"
        )
    };
}

/// Of a command that changes the files of AI clients.
macro_rules! clients {
    () => {
        concat!(
            "\n\nFiles:\n",
            "  ~/.cursor/mcp.json, ~/.claude.json, .mcp.json, …  mcplexer adopt --places lists all\n",
            "  ~/.mcplexer/secrets.redb                          the store, unless MCPLEXER_STORE names a server\n",
            "\nEnvironment:\n",
            "  MCPLEXER_HOME            another directory than ~/.mcplexer\n",
            $crate::cli::examples::sections::server_variables!(),
            "\n",
            "  XDG_CONFIG_HOME          where clients keep their settings (default: ~/.config)\n",
            "  CODEX_HOME               where Codex keeps its files (default: ~/.codex)"
        )
    };
}

/// Of the command that prints completions.
macro_rules! completions {
    () => {
        concat!(
            "\n\nFiles:\n",
            "  ~/.local/share/bash-completion/completions/mcplexer  for bash\n",
            "  ~/.zfunc/_mcplexer                                   for zsh\n",
            "  ~/.config/fish/completions/mcplexer.fish             for fish\n",
            "\nEnvironment:\n",
            "  MCPLEXER_HOME  whose names Tab completes (default: ~/.mcplexer)"
        )
    };
}

/// Of the command that prints manual pages.
macro_rules! man {
    () => {
        concat!(
            "\n\nFiles:\n",
            "  ~/.local/share/man/man1/  where man finds pages that are written there\n",
            "\nEnvironment:\n",
            "  MANPAGER  what man shows a page with"
        )
    };
}

/// Of a command about projects.
macro_rules! project {
    () => {
        concat!(
            "\n\nFiles:\n",
            "  mcplexer.yaml             what a project needs, by name; never a value\n",
            "  ~/.mcplexer/trusted       the projects that you trust, as they were then\n",
            "  ~/.mcplexer/secrets.redb  the store, unless MCPLEXER_STORE names a server\n",
            "\nEnvironment:\n",
            "  MCPLEXER_HOME            another directory than ~/.mcplexer\n",
            $crate::cli::examples::sections::server_variables!(),
            "\n",
            "  MCPLEXER_PROFILE         the profile of the project"
        )
    };
}

pub(super) use {
    clients, completions, config, config_and_store, log, man, project, server_variables, store,
};

#[cfg(feature = "serve")]
pub(super) use gateway;
