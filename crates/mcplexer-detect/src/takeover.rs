//! Names of variables that take over the command which gets them.
//!
//! Each makes a loader, a shell, an interpreter or a common program run code that the value names, before
//! the command does anything of its own, or trust a server of the value's choice. A secret under such a name is a mistake, or somebody's attempt.
//!
//! The base is the list of variables that sudo never passes on (`initial_badenv_table` in sudo's
//! `plugins/sudoers/env.c`), without those that only change texts and terminals. Each row adds the
//! documentation of its program. Left out is what holds credentials as a matter of course, although it can
//! lead a program elsewhere: proxies, package indexes with a password in their address (`PIP_INDEX_URL`),
//! `GIT_CONFIG_VALUE_0` with a header field, `JAVA_OPTS`. So are prefixes that tokens have (`LD_SDK_KEY`).

/// Names that do the same, and what that is.
struct Row {
    names: &'static [&'static str],
    prefixes: &'static [&'static str],
    /// What a variable of this row does: it goes on from its name.
    does: &'static str,
}

const ROWS: [Row; 23] = [
    // POSIX.1-2024, XBD 8.3; zsh(1); the XDG Base Directory Specification.
    Row {
        names: &["PATH", "FPATH"],
        prefixes: &[],
        does: "says where programs are found",
    },
    Row {
        names: &["HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"],
        prefixes: &[],
        does: "says where programs find their settings",
    },
    // ld.so(8), rtld(1) of FreeBSD, ld.so.1(1) of Solaris; AIX and HP-UX.
    Row {
        names: &[
            "LD_ORIGIN_PATH",
            "LD_ELF_HINTS_PATH",
            "LIBPATH",
            "SHLIB_PATH",
        ],
        prefixes: &[
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "LD_AUDIT",
            "LD_LIBMAP",
            "LD_32_",
            "LD_64_",
            "LDR_PRELOAD",
            "_RLD",
        ],
        does: "names code that every program loads",
    },
    // dyld(1) of macOS.
    Row {
        names: &[],
        prefixes: &["DYLD_"],
        does: "names code that every program loads",
    },
    // The GNU C library's manual: "iconv Implementation", "Tunables"; OpenSSL's openssl-env(7); gio(7).
    Row {
        names: &[
            "GCONV_PATH",
            "GLIBC_TUNABLES",
            "OPENSSL_CONF",
            "OPENSSL_ENGINES",
            "OPENSSL_MODULES",
            "GTK_MODULES",
            "GIO_MODULE_DIR",
            "GIO_EXTRA_MODULES",
            "QT_PLUGIN_PATH",
        ],
        prefixes: &[],
        does: "names code that libraries load",
    },
    // POSIX.1-2024, `sh`; bash(1), "Shell Variables" and functions of the environment; zsh(1), "Files".
    Row {
        names: &[
            "ENV",
            "BASH_ENV",
            "BASHOPTS",
            "SHELLOPTS",
            "BASH_LOADABLES_PATH",
            "INPUTRC",
            "PROMPT_COMMAND",
            "PS4",
            "IFS",
            "ZDOTDIR",
            "NULLCMD",
            "READNULLCMD",
            "SHELL",
        ],
        prefixes: &["BASH_FUNC_"],
        does: "changes what shells run",
    },
    // PowerShell, about_PSModulePath.
    Row {
        names: &["PSModulePath"],
        prefixes: &[],
        does: "names code that PowerShell loads",
    },
    // Node.js, "Command-line API"; Bun, "Environment variables"; Electron, "Environment Variables".
    Row {
        names: &[
            "NODE_OPTIONS",
            "NODE_PATH",
            "NODE_REPL_EXTERNAL_MODULE",
            "BUN_OPTIONS",
            "BUN_INSPECT_PRELOAD",
            "ELECTRON_RUN_AS_NODE",
        ],
        prefixes: &[],
        does: "names code that Node.js or Bun loads",
    },
    // npm's "config" page; npm reads these names in any case.
    Row {
        names: &[
            "npm_config_editor",
            "npm_config_git",
            "npm_config_globalconfig",
            "npm_config_node_options",
            "npm_config_prefix",
            "npm_config_script_shell",
            "npm_config_shell",
            "npm_config_userconfig",
            "npm_config_viewer",
        ],
        prefixes: &[],
        does: "names programs that npm and npx start",
    },
    // Python, "Command line and environment", section 1.2.
    Row {
        names: &[
            "PYTHONBREAKPOINT",
            "PYTHONEXECUTABLE",
            "PYTHONHOME",
            "PYTHONINSPECT",
            "PYTHONPATH",
            "PYTHONPLATLIBDIR",
            "PYTHONPYCACHEPREFIX",
            "PYTHONSTARTUP",
            "PYTHONUSERBASE",
            "PYTHONWARNINGS",
        ],
        prefixes: &[],
        does: "names code that Python loads",
    },
    // perlrun(1), ruby(1), RubyGems' and Bundler's manuals.
    Row {
        names: &[
            "PERL5DB",
            "PERL5LIB",
            "PERL5OPT",
            "PERL5SHELL",
            "PERLLIB",
            "PERLIO_DEBUG",
        ],
        prefixes: &[],
        does: "names code that Perl loads",
    },
    Row {
        names: &[
            "BUNDLE_GEMFILE",
            "GEM_HOME",
            "GEM_PATH",
            "RUBYLIB",
            "RUBYOPT",
            "RUBYSHELL",
        ],
        prefixes: &[],
        does: "names code that Ruby loads",
    },
    // PHP's manual, "The configuration file".
    Row {
        names: &["PHPRC", "PHP_INI_SCAN_DIR"],
        prefixes: &[],
        does: "names code that PHP loads",
    },
    // JVM TI 1.2, "JAVA_TOOL_OPTIONS"; java(1), "JDK_JAVA_OPTIONS" and "CLASSPATH"; "Configuring Apache Maven".
    Row {
        names: &[
            "CLASSPATH",
            "JAVA_TOOL_OPTIONS",
            "JDK_JAVA_OPTIONS",
            "MAVEN_OPTS",
            "_JAVA_OPTIONS",
        ],
        prefixes: &[],
        does: "names code that Java loads",
    },
    // .NET, "DOTNET_STARTUP_HOOKS" in `host-startup-hook.md`, "Setting up a profiling environment".
    Row {
        names: &["DOTNET_ADDITIONAL_DEPS", "DOTNET_STARTUP_HOOKS"],
        prefixes: &["CORECLR_PROFILER", "COR_PROFILER"],
        does: "names code that .NET loads",
    },
    // lua(1), R's ?Startup, Julia's "Environment Variables", erl(1).
    Row {
        names: &[
            "ELIXIR_ERL_OPTIONS",
            "ERL_AFLAGS",
            "ERL_FLAGS",
            "ERL_LIBS",
            "ERL_ZFLAGS",
            "JULIA_DEPOT_PATH",
            "JULIA_LOAD_PATH",
            "R_ENVIRON",
            "R_ENVIRON_USER",
            "R_LIBS",
            "R_PROFILE",
            "R_PROFILE_USER",
        ],
        prefixes: &["LUA_CPATH", "LUA_INIT", "LUA_PATH"],
        does: "names code that an interpreter loads",
    },
    // git(1), "Environment Variables"; git-config(1). The value of a setting has no power without its key.
    Row {
        names: &[
            "GIT_ASKPASS",
            "GIT_CONFIG",
            "GIT_CONFIG_COUNT",
            "GIT_CONFIG_GLOBAL",
            "GIT_CONFIG_PARAMETERS",
            "GIT_COMMON_DIR",
            "GIT_CONFIG_SYSTEM",
            "GIT_DIR",
            "GIT_EDITOR",
            "GIT_EXEC_PATH",
            "GIT_EXTERNAL_DIFF",
            "GIT_PAGER",
            "GIT_PROXY_COMMAND",
            "GIT_SEQUENCE_EDITOR",
            "GIT_SSH",
            "GIT_SSH_COMMAND",
            "GIT_TEMPLATE_DIR",
        ],
        prefixes: &["GIT_CONFIG_KEY_"],
        does: "names programs that git starts",
    },
    // ssh(1), sudo(8).
    Row {
        names: &["SSH_ASKPASS", "SUDO_ASKPASS"],
        prefixes: &[],
        does: "names a program that is started for a password",
    },
    // environ(7), less(1), man(1), gh help environment, `kubectl edit --help`, psql(1), rsync(1), sudoedit(8), systemctl(1),
    // "Environment"; GNU tar's manual, "tar-invocation".
    Row {
        names: &[
            "AWS_PAGER",
            "BAT_PAGER",
            "BROWSER",
            "DELTA_PAGER",
            "EDITOR",
            "FCEDIT",
            "GH_BROWSER",
            "GH_EDITOR",
            "GH_PAGER",
            "HGEDITOR",
            "KUBECTL_EXTERNAL_DIFF",
            "KUBE_EDITOR",
            "FZF_ALT_C_COMMAND",
            "FZF_ALT_C_OPTS",
            "FZF_COMPLETION_OPTS",
            "FZF_CTRL_R_OPTS",
            "FZF_CTRL_T_COMMAND",
            "FZF_CTRL_T_OPTS",
            "FZF_DEFAULT_COMMAND",
            "FZF_DEFAULT_OPTS",
            "FZF_DEFAULT_OPTS_FILE",
            "LESS",
            "LESSCLOSE",
            "LESSEDIT",
            "LESSKEY",
            "LESSKEYIN",
            "LESSKEYIN_SYSTEM",
            "LESSKEY_CONTENT",
            "LESSKEY_CONTENT_SYSTEM",
            "LESSKEY_SYSTEM",
            "LESSOPEN",
            "MANPAGER",
            "PAGER",
            "PSQL_EDITOR",
            "PSQL_PAGER",
            "RSYNC_CONNECT_PROG",
            "RSYNC_RSH",
            "SUDO_EDITOR",
            "SVN_EDITOR",
            "SVN_SSH",
            "SYSTEMD_EDITOR",
            "SYSTEMD_PAGER",
            "TAR_OPTIONS",
            "VISUAL",
        ],
        prefixes: &[],
        does: "names a program that others start",
    },
    // vim's `starting.txt`, wget(1), curl(1), psql(1), starship's and direnv's "Configuration", rg(1), hg(1), screen(1).
    Row {
        names: &[
            "CURL_HOME",
            "DIRENV_BASH",
            "DIRENV_CONFIG",
            "EXINIT",
            "GVIMINIT",
            "HGRCPATH",
            "MYVIMRC",
            "NVIM_APPNAME",
            "PSQLRC",
            "RIPGREP_CONFIG_PATH",
            "SCREENRC",
            "STARSHIP_CONFIG",
            "VIM",
            "VIMINIT",
            "VIMRUNTIME",
            "WGETRC",
        ],
        prefixes: &[],
        does: "gives a program other settings",
    },
    // Cargo's book, "Environment Variables" and "Configuration"; `go help environment`; GNU make, "Variables Used by Implicit Rules".
    Row {
        names: &[
            "CARGO_BUILD_RUSTC",
            "CARGO_BUILD_RUSTDOC",
            "CARGO_BUILD_RUSTDOCFLAGS",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
            "CARGO_BUILD_RUSTC_WRAPPER",
            "CARGO_ENCODED_RUSTDOCFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "GOFLAGS",
            "GNUMAKEFLAGS",
            "MAKEFILES",
            "MAKEFLAGS",
            "RUSTC",
            "RUSTDOC",
            "RUSTDOCFLAGS",
            "RUSTFLAGS",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTC_WRAPPER",
        ],
        prefixes: &["CARGO_TARGET_"],
        does: "names programs that builds start",
    },
    // X509_get_default_cert_file(3ssl); Node.js, "Command-line API".
    Row {
        names: &[
            "NODE_EXTRA_CA_CERTS",
            "NODE_TLS_REJECT_UNAUTHORIZED",
            "SSL_CERT_DIR",
            "SSL_CERT_FILE",
        ],
        prefixes: &[],
        does: "says which servers programs trust",
    },
    // docker(1), "Environment variables".
    Row {
        names: &["DOCKER_HOST"],
        prefixes: &[],
        does: "says where docker starts containers",
    },
];

/// What a server or a build gets as a matter of course, from a user who has chosen it. A file that somebody else has
/// written can come with such settings and programs of its own.
const SETTINGS: [Row; 5] = [
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

impl Row {
    fn has(&self, variable: &str) -> bool {
        let is_name = |name: &&str| match name.starts_with("npm_config_") {
            true => variable.eq_ignore_ascii_case(name),
            false => variable == *name,
        };
        let begins =
            |prefix: &&str| variable.starts_with(*prefix) && variable != "CARGO_TARGET_DIR";
        self.names.iter().any(is_name) || self.prefixes.iter().any(begins)
    }
}

/// Returns what a variable with this name does to a command that gets it, if that takes the command over:
/// `names code that Python loads`. The words go on from the name.
#[must_use]
pub fn takes_over(variable: &str) -> Option<&'static str> {
    let row = ROWS.iter().find(|row| row.has(variable));
    row.map(|row| row.does)
}

/// Returns the same for a variable of a file that somebody else may have written, and that a whole shell gets. Such a file
/// can come with settings of its own.
#[must_use]
pub fn takes_over_a_shell(variable: &str) -> Option<&'static str> {
    let mut rows = ROWS.iter().chain(&SETTINGS);
    let row = rows.find(|row| row.has(variable));
    row.map(|row| row.does)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_over_a_command_is_known_by_name() {
        for name in [
            "PATH",
            "LD_PRELOAD",
            "LD_PRELOAD_64",
            "LD_LIBRARY_PATH",
            "DYLD_INSERT_LIBRARIES",
            "DYLD_FRAMEWORK_PATH",
            "NODE_OPTIONS",
            "NPM_CONFIG_SCRIPT_SHELL",
            "PYTHONSTARTUP",
            "BASH_ENV",
            "BASH_FUNC_ls%%",
            "GIT_SSH_COMMAND",
            "GIT_CONFIG_KEY_0",
            "LUA_INIT_5_4",
            "CORECLR_PROFILER_PATH_64",
            "MAVEN_OPTS",
            "CARGO_BUILD_RUSTC_WRAPPER",
            "NODE_TLS_REJECT_UNAUTHORIZED",
            "SSL_CERT_FILE",
            "DOCKER_HOST",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER",
            "GIT_DIR",
            "INPUTRC",
            "RUSTFLAGS",
            "DIRENV_CONFIG",
            "STARSHIP_CONFIG",
            "FZF_DEFAULT_COMMAND",
            "FZF_DEFAULT_OPTS",
            "PSQLRC",
            "LESSKEYIN",
            "LESSKEY_CONTENT",
            "LESSEDIT",
            "MYVIMRC",
        ] {
            assert!(takes_over(name).is_some(), "{name}");
        }
    }

    #[test]
    fn names_of_credentials_take_nothing_over() {
        for name in [
            "API_KEY",
            "LD_SDK_KEY",
            "LD_ACCESS_TOKEN",
            "GIT_TOKEN",
            "GIT_CONFIG_VALUE_0",
            "NODE_AUTH_TOKEN",
            "NPM_CONFIG_TOKEN",
            "PYTHON_API_KEY",
            "HTTPS_PROXY",
            "PIP_INDEX_URL",
            "path",
            "DATABASE_PATH",
            "CARGO_REGISTRY_TOKEN",
            "CARGO_TARGET_DIR",
            "KUBECONFIG",
            "DOCKER_AUTH_CONFIG",
            "SSL_CERT_PASSWORD",
            "SSH_PRIVATE_KEY",
        ] {
            assert_eq!(takes_over(name), None, "{name}");
        }
    }

    #[test]
    fn settings_of_somebody_else_take_a_shell_over() {
        for name in [
            "KUBECONFIG",
            "AWS_CONFIG_FILE",
            "CARGO_HOME",
            "RUSTUP_HOME",
            "NPM_CONFIG_REGISTRY",
            "PIP_CONFIG_FILE",
            "TERMINFO",
            "TERMINFO_DIRS",
            "CC",
            "CXX",
            "LD",
            "TMUX",
            "SSH_AUTH_SOCK",
            "XDG_RUNTIME_DIR",
            "TMPDIR",
        ] {
            assert!(takes_over_a_shell(name).is_some(), "{name}");
            assert_eq!(takes_over(name), None, "{name}");
        }
        assert!(takes_over_a_shell("PATH").is_some());
        for name in [
            "AWS_REGION",
            "APP_CONFIG",
            "APP_HOME",
            "FZF_API_KEY",
            "LD_SDK_KEY",
            "CARGO_REGISTRY_TOKEN",
            "NPM_CONFIG_TOKEN",
            "PIP_INDEX_URL",
            "CCAPI_KEY",
            "PORT",
        ] {
            assert_eq!(takes_over_a_shell(name), None, "{name}");
        }
    }

    #[test]
    fn no_name_is_listed_twice() {
        let all = ROWS
            .iter()
            .chain(&SETTINGS)
            .flat_map(|row| row.names.iter().chain(row.prefixes));
        let mut names: Vec<_> = all.collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
