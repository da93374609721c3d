//! What the user and the shell have of their own: it stays, and a project cannot use it.

use std::fs;

use test_support::{STANDARD_PATH, tool};

use super::{SHELLS, SHOW, Shell, write_show};
use crate::home::{BINARY, finish};
use crate::project::Shop;

const OUTSIDE: &str = "<a  'before'\\ _||none>";

/// Returns how names are defined in a shell.
fn defined(shop: &Shop, prompt: &mut Shell, shell: &str, names: &[&str]) -> String {
    for name in names {
        prompt.line(&match shell {
            "fish" => format!("set -S {name} >>~/defined"),
            "zsh" => format!("{{ typeset -p {name}; echo ${{(t){name}}} }} >>~/defined"),
            _ => format!("declare -p {name} >>~/defined"),
        });
    }
    let file = shop.0.root().join("defined");
    let text = fs::read_to_string(&file).unwrap();
    fs::remove_file(file).unwrap();
    text
}

/// Each would change the shell, run code in it, or end what the hook does.
#[test]
fn a_project_does_not_set_what_is_a_shells_own() {
    let shop = Shop::new();
    write_show(&shop);
    shop.write(
        "dev.env",
        "UID=65534\nEUID=65534\nGID=65534\nstatus=1\nPORT=8080\nSECONDS='a[$(touch ~/ran)]'\nPS0='$(touch ~/ran)'\nPS1='$(touch ~/ran)'\nPROMPT='$(touch ~/ran)'\nRANDOM=1\nBASH_ARGV0=x\nargv=1\nfish_color_normal=red\n_mcplexer_loaded='x:HOME'\npath=/evil\n",
    );
    let shown = shop.run("code/shop", &["trust", "--show"]).succeeded();
    for line in [
        "dev.env sets PS1, which a shell does not take from a project\n",
        "dev.env sets PORT\n",
    ] {
        assert!(shown.text().contains(line), "{}", shown.text());
    }
    shop.trust();
    for shell in SHELLS {
        let Some(mut prompt) = Shell::start(&shop, shell) else {
            continue;
        };
        let told = prompt.line("cd code/shop");
        let said = "sets DATABASE_URL, PORT, TOKEN; not BASH_ARGV0, EUID, GID, PROMPT, PS0, PS1, RANDOM, SECONDS, UID, _mcplexer_loaded, argv, fish_color_normal, path, status, which a shell does not take from a project\r\n";
        assert!(told.contains(said), "{shell}: {told}");
        let shown = prompt.line(SHOW);
        let inside = "<m4rked-token-1234|m4rked-url-of-dev|8080>";
        assert!(shown.contains(inside), "{shell}: {shown}");
        let told = prompt.line("cd ../..");
        let said = "took back the variables of the project\r\n";
        assert!(told.contains(said), "{shell}: {told}");
        let shown = prompt.line(SHOW);
        assert!(shown.contains(OUTSIDE), "{shell}: {shown}");
        prompt.leave();
        assert!(!shop.0.root().join("ran").exists(), "{shell}");
    }
}

/// What runs code as soon as a common program starts is shown by `trust`, and no shell gets it.
#[test]
fn what_starts_programs_of_a_project_is_shown_and_refused() {
    let shop = Shop::new();
    for (variable, does) in [
        ("GIT_DIR", "names programs that git starts"),
        ("BASH_LOADABLES_PATH", "changes what shells run"),
        ("INPUTRC", "changes what shells run"),
        ("KUBECONFIG", "names settings that can start programs"),
        ("AWS_CONFIG_FILE", "names settings that can start programs"),
        (
            "CARGO_TARGET_X86_64_APPLE_DARWIN_RUNNER",
            "names programs that builds start",
        ),
        ("RUSTFLAGS", "names programs that builds start"),
        ("TAR_OPTIONS", "names a program that others start"),
        ("KUBE_EDITOR", "names a program that others start"),
        ("FZF_DEFAULT_COMMAND", "names a program that others start"),
        ("STARSHIP_CONFIG", "gives a program other settings"),
        ("CARGO_HOME", "names settings that can start programs"),
        ("CC", "names programs that builds start"),
        (
            "SSH_AUTH_SOCK",
            "says which program gets what others send it",
        ),
        ("TERMINFO", "says where programs find files that they trust"),
    ] {
        shop.write("dev.env", &format!("PORT=1\n{variable}=x\n"));
        let shown = shop.run("code/shop", &["trust", "--show"]).succeeded();
        let line = format!("  dev.env sets {variable}, which {does}\n");
        assert!(shown.text().contains(&line), "{}", shown.text());
        shop.trust();
        for shell in [&["direnv"][..], &["bash", "--loaded", ""]] {
            let refused = shop.run("code/shop", &[&["hook"], shell].concat());
            let said = format!("the project sets {variable}, which {does}; nothing of it is set");
            assert!(
                refused.code == 2 && refused.stderr.contains(&said),
                "{}",
                refused.stderr
            );
            assert!(!refused.text().contains("m4rked"), "{variable}");
        }
    }
}

/// What could not be restored exactly is not touched, and what is said is what was done.
#[test]
fn a_variable_that_cannot_be_restored_is_kept() {
    let shop = Shop::new();
    shop.write("dev.env", "PORT=1\nA=1\nB=2\nC=3\nflags=4\nname=5\n_x=6\n");
    shop.trust();
    let own = "declare -r A=own\ndeclare -a B=(x y)\ndeclare -i C=7\nflags=own\nname=own";
    for shell in ["bash", "zsh"] {
        let Some(mut prompt) = Shell::start_with(&shop, shell, own) else {
            continue;
        };
        let names = ["A", "B", "C", "flags", "name", "PORT", "_x"];
        let before = defined(&shop, &mut prompt, shell, &names);
        let told = prompt.line("cd code/shop");
        let said =
            "sets DATABASE_URL, PORT, TOKEN, _x, flags, name; this shell keeps its own A, B, C\r\n";
        assert!(told.contains(said), "{shell}: {told}");
        let shown = prompt.line("sh -c 'echo \"<$A|$B|$C|$flags|$name>\"'");
        assert!(shown.contains("<|||4|5>"), "{shell}: {shown}");
        // What the user makes of a variable there does not stay.
        prompt.line("declare -i PORT");
        let told = prompt.line("cd ../..");
        assert!(told.contains("took back"), "{shell}: {told}");
        assert_eq!(
            defined(&shop, &mut prompt, shell, &names),
            before,
            "{shell}"
        );
        prompt.leave();
    }
}

#[test]
fn an_empty_list_of_fish_comes_back() {
    let shop = Shop::new();
    shop.write("dev.env", "PORT=1\nEMPTY=2\nSEVERAL=3\nname=4\n");
    shop.trust();
    let own = "set -gx EMPTY\nset -g SEVERAL a '' 'b c'\nset -gx name n";
    let Some(mut prompt) = Shell::start_with(&shop, "fish", own) else {
        return;
    };
    let names = ["EMPTY", "SEVERAL", "name"];
    let before = defined(&shop, &mut prompt, "fish", &names);
    assert!(before.contains("with 0 elements"), "{before:?}");
    let told = prompt.line("cd code/shop");
    let said = "sets DATABASE_URL, EMPTY, PORT, SEVERAL, TOKEN, name\r\n";
    assert!(told.contains(said), "{told}");
    prompt.line("cd");
    assert_eq!(defined(&shop, &mut prompt, "fish", &names), before);
    prompt.leave();
}

/// One failure stops nothing, and is said.
#[test]
fn what_became_readonly_in_the_project_keeps_no_other_value() {
    let shop = Shop::new();
    write_show(&shop);
    shop.trust();
    for shell in ["bash", "zsh"] {
        let Some(mut prompt) = Shell::start(&shop, shell) else {
            continue;
        };
        prompt.line("cd code/shop");
        prompt.line("readonly DATABASE_URL");
        let told = prompt.line("cd ../..");
        let said = match shell {
            "bash" => "cannot take back DATABASE_URL, which this shell has made readonly",
            _ => "took back the variables of the project",
        };
        assert!(told.contains(said), "{shell}: {told}");
        assert_eq!(told.contains("took back"), shell == "zsh", "{told}");
        let shown = prompt.line(SHOW);
        assert!(shown.contains(OUTSIDE), "{shell}: {shown}");
        prompt.leave();
    }
}

/// A shell in a shell has the variables, and takes them back as well.
#[test]
fn a_shell_within_a_shell_takes_them_back() {
    let shop = Shop::new();
    write_show(&shop);
    shop.trust();
    for shell in SHELLS {
        let Some(mut prompt) = Shell::start(&shop, shell) else {
            continue;
        };
        prompt.line("cd code/shop");
        let inner = match shell {
            "bash" => "exec bash --rcfile ~/.bashrc -i",
            "zsh" => "exec zsh -d -i",
            _ => "exec fish --no-config --private -i -C 'source ~/.fishrc'",
        };
        prompt.line(inner);
        let told = prompt.line("cd ~");
        assert!(told.contains("took back"), "{shell}: {told}");
        let shown = prompt.line(SHOW);
        assert!(
            shown.contains("<||") && !shown.contains("m4rked"),
            "{shell}: {shown}"
        );
        // It sets and takes back its own.
        let told = prompt.line("cd ~/code/shop");
        let said = "sets DATABASE_URL, PORT, TOKEN";
        assert!(told.contains(said), "{shell}: {told}");
        prompt.line("cd ~");
        let shown = prompt.line(SHOW);
        assert!(!shown.contains("m4rked"), "{shell}: {shown}");
        prompt.leave();
    }
}

/// No secret stays, whether the program fails or is gone.
#[test]
fn a_hook_that_fails_takes_the_variables_back() {
    for shell in SHELLS {
        for (fault, line) in [
            ("directory", "rm -r ~/code/shop"),
            ("home", "export MCPLEXER_HOME=relative"),
            ("program", "rm ~/copy"),
        ] {
            let shop = Shop::new();
            write_show(&shop);
            shop.trust();
            let Some(mut prompt) = Shell::start(&shop, shell) else {
                continue;
            };
            if fault == "program" {
                fs::copy(BINARY, shop.0.root().join("copy")).unwrap();
                prompt.line(match shell {
                    "fish" => "~/copy hook fish | source",
                    "zsh" => "eval \"$(~/copy hook zsh)\"",
                    _ => "eval \"$(~/copy hook bash)\"",
                });
            }
            let told = prompt.line("cd code/shop");
            assert!(told.contains("sets DATABASE_URL"), "{shell}: {told}");
            let told = prompt.line(line);
            let shown = prompt.line(SHOW);
            assert!(shown.contains(OUTSIDE), "{shell}, {fault}: {told} {shown}");
            prompt.leave();
        }
    }
}

/// `set -x` prints every command, and the hook runs some that have values in them.
#[test]
fn a_shell_that_prints_what_it_runs_prints_no_value() {
    let shop = Shop::new();
    shop.trust();
    for shell in SHELLS {
        let Some(mut prompt) = Shell::start(&shop, shell) else {
            continue;
        };
        prompt.line(match shell {
            "fish" => "set -g fish_trace 1",
            _ => "set -vx",
        });
        let mut printed = prompt.line("cd code/shop");
        printed += &prompt.line("env | grep -c 'm4[r]ked' | tr 2 Y");
        assert!(printed.contains("\r\nY\r\n"), "{shell}: {printed}");
        // What the user has asked for goes on.
        let traced = prompt.line("echo a''b");
        assert_eq!(traced.matches("echo ab").count(), 1, "{shell}: {traced}");
        printed += &prompt.line("cd ../..");
        printed += &prompt.line("true");
        assert!(!printed.contains("m4rked"), "{shell}: {printed}");
        prompt.leave();
    }
}

#[test]
fn a_shell_that_refuses_unset_variables_takes_the_hook() {
    let shop = Shop::new();
    for (shell, option) in [("bash", "set -u"), ("zsh", "setopt nounset")] {
        let Some(program) = tool(shell) else { continue };
        let line = format!("{option}; eval \"$({BINARY} hook {shell})\"; _mcplexer_hook");
        let mut command = shop.0.command_of(&program);
        let run = finish(command.env("PATH", STANDARD_PATH).args(["-c", &line]));
        assert_eq!(run.succeeded().stderr, "", "{shell}");
    }
}
