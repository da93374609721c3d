//! The built command, run as a user runs it: real processes, real files.

#![cfg(test)]

mod access;
mod adopt;
mod age_command;
mod agents;
mod arguments;
mod backup;
mod bounds;
mod built;
mod commands;
mod config;
mod contention;
mod crash;
mod crowd;
mod damage;
mod dash;
mod disk_full;
mod doctor;
mod environment;
mod exchange;
mod faults;
mod home;
mod import;
mod inject;
mod keys;
mod leaks;
mod life;
mod limits;
mod machines;
mod mask;
mod memory;
mod namespaces;
mod pipes;
mod readers;
mod rekey;
mod run;
mod scan;
mod servers;
mod staged;
mod strict;
mod tasks;
mod terminal;
mod trust;
mod usage;
mod values;
