//! The end of the help of the commands about the place of the store.

/// Of a command that moves the store.
macro_rules! places {
    () => {
        concat!(
            "\n\nFiles:\n",
            "  ~/.mcplexer/secrets.redb  the store, unless MCPLEXER_STORE names a server\n",
            "  ~/.mcplexer/age.key       the key that opens it, at each place\n",
            "  ~/.mcplexer/audit.log     who used which secret; it goes on\n",
            "\nEnvironment:\n",
            "  MCPLEXER_STORE           where the store is now: postgres://… or etcd://…\n",
            "  MCPLEXER_STORE_PASSWORD  the password for its server, and for the new one\n",
            "  MCPLEXER_STORE_CACHE     the copy for when that is away: off, or how old it may be (12h)\n",
            "  MCPLEXER_HOME            another directory than ~/.mcplexer"
        )
    };
}

pub(in crate::cli) const STORE: &str = concat!(
    "\
Examples:
  mcplexer store move --to postgres://mcplexer@db.example.org/team
  mcplexer store keep                     # if that was interrupted, and is not wanted any more
  mcplexer store delete-moved file        # once MCPLEXER_STORE names the new place everywhere",
    places!()
);

pub(in crate::cli) const STORE_MOVE: &str = concat!(
    "\
The records are moved as they are encrypted, so the same keys open the store at the new place. Everything is compared before it \
counts there. From then on the old place can be read, and takes no changes.

Examples:
  mcplexer store move --to postgres://mcplexer@db.example.org/team
  mcplexer store move --to 'postgres://mcplexer@db.example.org/team?passwordfile=/run/team-password'
  MCPLEXER_STORE=postgres://mcplexer@db.example.org/team mcplexer store move --to file",
    places!()
);

pub(in crate::cli) const STORE_KEEP: &str = concat!(
    "\
A move that is finished is not given up while the new place has the store: move it back. If that place has it no more, or cannot be \
reached, --lost goes on here after a question.

Examples:
  mcplexer store keep
  mcplexer store keep --lost              # the server is gone, and with it what was changed there",
    places!()
);

pub(in crate::cli) const STORE_DELETE_MOVED: &str = concat!(
    "\
MCPLEXER_STORE names the place that has the store. On a server nothing is deleted: the command prints what to run there.

Examples:
  mcplexer store delete-moved file --force
  mcplexer store delete-moved postgres://mcplexer@db.example.org/team",
    places!()
);
