//! The program as a new user runs it, and what it prints.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::{binary, root};

/// The running program, with its printed lines.
pub struct Program {
    pub child: Child,
    pub lines: Receiver<String>,
    pub said: Vec<String>,
    /// Where it listens: `http://127.0.0.1:port`.
    pub base: String,
}

impl Program {
    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(data: &Path, config: &Path) -> Self {
        let mut program = Self::spawn(data, config, Stdio::inherit());
        program.ready();
        program
    }

    /// Starts it so that it records what it is told, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn recording(data: &Path, config: &Path, file: &Path) -> Self {
        let more = ["--record".as_ref(), file.as_os_str()];
        let mut program = Self::spawn_with(&binary("recent-deployers"), data, config, Stdio::inherit(), &more);
        program.ready();
        program
    }

    /// Starts it, with its log there, and waits for nothing.
    ///
    /// # Panics
    /// When there is no such program.
    #[must_use]
    pub fn spawn(data: &Path, config: &Path, log: Stdio) -> Self {
        Self::spawn_as(&binary("recent-deployers"), data, config, log)
    }

    /// The same, of a program that was built elsewhere.
    ///
    /// # Panics
    /// When there is no such program.
    #[must_use]
    pub fn spawn_as(program: &Path, data: &Path, config: &Path, log: Stdio) -> Self {
        Self::spawn_with(program, data, config, log, &[])
    }

    fn spawn_with(program: &Path, data: &Path, config: &Path, log: Stdio, more: &[&OsStr]) -> Self {
        let mut child = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .arg("--config")
            .arg(config)
            .args(more)
            .current_dir(root())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{error}"));
        let (send, lines) = channel();
        let Some(stdout) = child.stdout.take() else { panic!("the program has no output") };
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| drop(send.send(line)))
        });
        Self { child, lines, said: Vec::new(), base: String::new() }
    }

    /// Waits until it is ready.
    ///
    /// # Panics
    /// When it does not get there.
    pub fn ready(&mut self) {
        let board = self.wait_for("  board         ");
        self.base = board.trim_start_matches("  board         ").trim_end_matches('/').to_owned();
        self.wait_for("Ready.");
    }

    /// The first line, from now on, that contains this. Waits for the program, not for a time to pass.
    ///
    /// # Panics
    /// When it is not said within a minute.
    pub fn wait_for(&mut self, wanted: &str) -> String {
        loop {
            match self.lines.recv_timeout(Duration::from_secs(60)) {
                Ok(line) if line.contains(wanted) => {
                    self.said.push(line.clone());
                    return line;
                }
                Ok(line) => self.said.push(line),
                Err(_) => panic!("never said {wanted:?}, but:\n{}", self.said.join("\n")),
            }
        }
    }

    /// What `kill -9` does.
    ///
    /// # Panics
    /// When it is gone already.
    pub fn kill(&mut self) {
        assert!(self.child.kill().and_then(|()| self.child.wait()).is_ok());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
