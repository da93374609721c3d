//! Variables that name settings, with which a program can be taken over.

use super::Row;

/// What a server or a build gets as a matter of course, from a user who has chosen it. A file that somebody else has
/// written can come with such settings and programs of its own.
pub(super) const SETTINGS: [Row; 5] = [
    // kubectl's "Organizing Cluster Access"; the AWS SDKs' "Environment variables"; docker(1); gcloud topic configurations;
    // gpg(1); the manuals of the other programs.
    Row {
        names: &[
            "ANSIBLE_CONFIG",
            "ASDF_CONFIG_FILE",
            "AWS_CONFIG_FILE",
            "AWS_SHARED_CREDENTIALS_FILE",
            "BAT_CONFIG_DIR",
            "BAT_CONFIG_PATH",
            "CARGO_HOME",
            "CLOUDSDK_CONFIG",
            "COMPOSER_HOME",
            "DENO_DIR",
            "DOCKER_CONFIG",
            "GH_CONFIG_DIR",
            "GNUPGHOME",
            "GOENV",
            "GRADLE_USER_HOME",
            "HELM_PLUGINS",
            "IPYTHONDIR",
            "JUPYTER_CONFIG_DIR",
            "KUBECONFIG",
            "MISE_CONFIG_DIR",
            "MYSQL_HOME",
            "PGSERVICEFILE",
            "PGSYSCONFDIR",
            "PIP_CONFIG_FILE",
            "TF_CLI_CONFIG_FILE",
            "UV_CONFIG_FILE",
            "YARN_RC_FILENAME",
            "npm_config_cache",
            "npm_config_init_module",
            "npm_config_registry",
        ],
        prefixes: &[],
        does: "names settings that can start programs",
    },
    // rustup's "Environment variables"; `go help environment`; the installers of the other programs.
    Row {
        names: &[
            "ASDF_DATA_DIR",
            "ASDF_DIR",
            "BUN_INSTALL",
            "GOPATH",
            "GOROOT",
            "GOTOOLCHAIN",
            "JAVA_HOME",
            "NVM_DIR",
            "PNPM_HOME",
            "PYENV_ROOT",
            "RBENV_ROOT",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
            "VOLTA_HOME",
        ],
        prefixes: &[],
        does: "says where programs are found",
    },
    // GNU make, "Variables Used by Implicit Rules"; gcc(1), "Environment"; pkg-config(1).
    Row {
        names: &[
            "AR",
            "AS",
            "CC",
            "CMAKE_TOOLCHAIN_FILE",
            "COMPILER_PATH",
            "CPP",
            "CXX",
            "FC",
            "GCC_EXEC_PREFIX",
            "GRADLE_OPTS",
            "LD",
            "PKG_CONFIG",
        ],
        prefixes: &["CARGO_ALIAS_"],
        does: "names programs that builds start",
    },
    // ssh-agent(1), tmux(1), ssh-add(1).
    Row {
        names: &["SSH_AUTH_SOCK", "TMUX", "TMUX_TMPDIR", "XDG_RUNTIME_DIR"],
        prefixes: &[],
        does: "says which program gets what others send it",
    },
    // terminfo(5); POSIX.1-2024, XBD 8.3; the XDG Base Directory Specification.
    Row {
        names: &[
            "TERMCAP",
            "TERMINFO",
            "TERMINFO_DIRS",
            "TMPDIR",
            "XDG_CACHE_HOME",
            "XDG_DATA_DIRS",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME",
        ],
        prefixes: &[],
        does: "says where programs find files that they trust",
    },
];
