//! Each command that the help lists does what it is for, at least once.

use std::collections::BTreeSet;
use std::path::Path;

use super::home::{BINARY, Home, finish};

/// Shell lines, each with its exit code and part of its output; `m` is mcplexer. They run one after
/// another in the same home.
const LINES: &str = r#"
m key init                               => 0 Created your key
m init                                   => 0 has a key and a store already
m key show                               => 0 recipient  age1
m key list                               => 0 IN USE
m secret put s K value-of-K              => 0 stored s/K, version 1
m secret get s K                         => 0 value-of-K
m secret list s                          => 0 K
m secret list --all                      => 0 s/K
m secret find k                          => 0 s/K
m secret edit s K --note of-K; m secret list s --long => 0 of-K
m secret put s K other                   => 0 stored s/K, version 2
m secret history s K                     => 0 VERSION  STORED
m secret restore s K --version 1; m secret get s K => 0 value-of-K
m secret generate r K --length 40; m secret get r K | wc -c => 0 40
m scope delete r --force                 => 0 deleted scope r with 1 secret
m secret copy s/K n/K; m secret get n K  => 0 value-of-K
m secret move n/K n/L; m secret get n L  => 0 value-of-K
m secret rename n L M; m secret get n M  => 0 value-of-K
m scope rename n o; m secret get o M     => 0 value-of-K
m scope delete o --force                 => 0 deleted scope o with 1 secret
m scope update s --keep-versions 3       => 0 scope s now keeps 3 earlier versions
m scope create t --kind header           => 0 created scope t (header)
m scope show t                           => 0 kind     header
m scope delete t --force; m scope list   => 0 deleted scope t with 0 secrets
m scope list                             => 0 s
m config schema                          => 0 "auth_scopes"
echo 'auth_scopes: [{id: c, type: env}]' > c.yaml; m config check c.yaml => 0 1 scope, no problems
m config apply c.yaml                    => 0 created scope c
m config show                            => 0 - id: c
m server add x --env K=mcplexer://s/K -- printenv K => 0 added server x to ~/.mcplexer/config.yaml
m server list                            => 0 x
m server show x                          => 0 command: [printenv, K]
m server test x                          => 1 server x cannot be started
m status                                 => 4 no gateway runs
m client add c                           => 0 added client c
m client list                            => 0 c
m client remove c                        => 0 its token is invalid
m serve < /dev/null && echo served       => 0 served
m connect < /dev/null; m server logs x && echo listed => 0 listed
m server restart x                       => 0 server x did not run
m ui --no-browser                        => 0 /#t=
m serve --stop                           => 0 the gateway has ended
m server remove x; m config check        => 0 0 scopes, no problems
m client install cursor --write          => 0 Cursor connects to the gateway
m run --scope s -- printenv K            => 0 value-of-K
m run --scope s --mask -- sh -c 'echo $K; exit 7' => 7 [s/K]
mkdir p; echo 'scopes: [s]' > p/mcplexer.yaml; chmod 644 p/mcplexer.yaml; m trust p => 0 is trusted as it is now
cd p; m hook direnv                      => 0 export K='value-of-K'
echo '<mcplexer://s/K>' | m inject       => 0 <value-of-K>
echo A=of-A > in.env; m import c in.env; m secret get c A => 0 of-A
m export s                               => 0 K=value-of-K
echo value-of-K > leak; m scan leak      => 6 leak:1: s/K
echo '{"mcpServers":{"a":{"command":"b","env":{"PASSWORD":"of-a"}}}}' > c.json
m adopt c.json --write; m secret get a PASSWORD => 0 of-a
m secret delete a PASSWORD; m secret get a PASSWORD => 4 no secret PASSWORD in scope a
m key add age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p --label bob => 0 added bob (age1ql3z
m key accept                             => 0 had accepted the store already
m key remove bob                         => 0 removed bob; re-encrypted 2 secrets in 3 scopes
m key rotate                             => 0 new key age1
m backup create b.age                    => 0 b.age: 3 scopes, 2 secrets
m backup verify b.age                    => 0 b.age is intact: 3 scopes, 2 secrets
m secret delete s K; m backup restore b.age --merge; m secret get s K => 0 value-of-K
m key recovery | tee code                => 0 It opens the store
rm .mcplexer/age.key; m key recover < code; m secret get s K => 0 value-of-K
m compact                                => 0 nothing deleted is left
m store move --to file                   => 2 mcplexer/secrets.redb already
m store delete-moved file                => 2 was not moved away from there
m store keep                             => 0 was not moved
m doctor                                 => 0 no problems found
m audit show --last 1                    => 0 ok  mcplexer[
m calls --json                           => 0 "calls": []
m audit verify                           => 0 an unbroken chain
m audit checkpoint > point; m audit verify --checkpoint point => 0 everything up to the checkpoint
m completions bash                       => 0 _mcplexer()
m man secret put                         => 0 .TH mcplexer-secret-put
m help exit-codes                        => 0 126  run: the command was found
"#;

/// Adds this command's subcommands that have no subcommands themselves. Each has its own help.
fn add_leaves(leaves: &mut Vec<String>, home: &Home, path: &[&str]) {
    let help = home.run([path, &["--help"]].concat()).succeeded();
    let usage = format!("Usage: {} ", [&["mcplexer"], path].concat().join(" "));
    assert!(help.text().contains(&usage), "{}", help.text());
    let Some((_, below)) = help.text().split_once("\nCommands:\n") else {
        return leaves.push(path.join(" "));
    };
    let lines = below.lines().take_while(|line| !line.is_empty());
    // A long description continues on lines that are indented further.
    for line in lines.filter(|line| !line.starts_with("   ")) {
        match line.split_whitespace().next() {
            Some("help") if !path.is_empty() => {}
            Some("help") => leaves.push("help".to_owned()),
            name => add_leaves(leaves, home, &[path, &[name.unwrap()]].concat()),
        }
    }
}

/// F48: no command succeeds without doing anything.
#[test]
fn every_command_does_what_it_is_for() {
    let home = Home::new();
    let mut leaves = Vec::new();
    add_leaves(&mut leaves, &home, &[]);
    assert!(leaves.len() > 30, "{leaves:?}");
    let mut untried: BTreeSet<_> = leaves.iter().collect();
    let mut before = "";
    for line in LINES.trim().lines() {
        let Some((line, expected)) = line.split_once("=> ") else {
            before = line;
            continue;
        };
        untried.retain(|leaf| !format!("{line} ").contains(&format!("m {leaf} ")));
        let script = format!("m() {{ {BINARY} \"$@\"; }}\n{before}\n{line}");
        let run = finish(home.command_of(Path::new("/bin/sh")).args(["-c", &script]));
        let (code, said) = expected.split_once(' ').unwrap();
        let all = format!("{}{}", run.stderr, run.text());
        assert_eq!(run.code.to_string(), code, "{line}: {all}");
        assert!(all.contains(said), "{line}: {all}");
        before = "";
    }
    assert!(untried.is_empty(), "not tried: {untried:?}");
}
