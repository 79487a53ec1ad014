//! `gonogo completions` and `gonogo man`: made from the command line's own definition.

use std::io;

use anyhow::Context as _;
use clap::CommandFactory as _;

use super::{Cli, Exit, output};

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// The shell to complete for
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Prints the completions of a shell.
///
/// # Errors
/// A closed pipe.
pub fn completions(args: &Completions) -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gonogo", &mut text);
    print(text)
}

/// Prints the manual page, with every command in it.
///
/// # Errors
/// A closed pipe.
pub fn man() -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    let command = Cli::command();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    for sub in command.get_subcommands() {
        section(sub, &format!("gonogo {}", sub.get_name()), &mut text)?;
    }
    print(text)
}

/// One command as a part of the page: its own page without head and tail.
fn section(command: &clap::Command, name: &str, text: &mut Vec<u8>) -> io::Result<()> {
    let man = clap_mangen::Man::new(command.clone().bin_name(name.to_owned()));
    text.extend_from_slice(format!(".SH {}\n", name.to_uppercase()).as_bytes());
    let mut part = Vec::new();
    man.render_description_section(&mut part)?;
    man.render_synopsis_section(&mut part)?;
    man.render_options_section(&mut part)?;
    // Headings of a part stand below the command's own.
    text.extend(
        String::from_utf8_lossy(&part).replace("\n.SH ", "\n.SS ").replacen(".SH ", ".SS ", 1).bytes(),
    );
    for sub in command.get_subcommands() {
        section(sub, &format!("{name} {}", sub.get_name()), text)?;
    }
    Ok(())
}

fn print(text: Vec<u8>) -> anyhow::Result<Exit> {
    output::print(&String::from_utf8(text).context("clap wrote what is not text")?)?;
    Ok(Exit::Yes)
}
