//! Reading lines: of a file, compressed or not, one at a time, each of a bounded length.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

/// A webhook is at most 4 MiB; escaped within JSON it may be twice that.
const LONGEST: usize = 9 * 1024 * 1024;
const BUFFER: usize = 1 << 18;

/// How far a file is read.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    pub done: Arc<AtomicU64>,
    pub all: u64,
}

impl Progress {
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

struct Counted<R>(R, Arc<AtomicU64>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buffer)?;
        self.1.fetch_add(u64::try_from(n).unwrap_or(0), Ordering::Relaxed);
        Ok(n)
    }
}

/// The lines of one file.
pub struct Lines {
    reader: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    number: u64,
    over: bool,
}

/// Opens a file, which is compressed if its name ends in `.gz`, and says how far it is read.
pub fn open(path: &Path) -> io::Result<(Lines, Progress)> {
    let file = File::open(path)?;
    let progress = Progress { done: Arc::default(), all: file.metadata()?.len() };
    let counted = Counted(file, Arc::clone(&progress.done));
    let reader: Box<dyn BufRead + Send> = if path.extension().is_some_and(|end| end == "gz") {
        Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(BufReader::new(counted))))
    } else {
        Box::new(BufReader::with_capacity(BUFFER, counted))
    };
    Ok((Lines { reader, line: Vec::new(), number: 0, over: false }, progress))
}

impl Lines {
    /// The next line that is not empty, with its number; `Err` also where it is longer than any line is.
    pub fn next_line(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        // Whatever cannot be read is the last of it.
        let found = self.find();
        self.over = !matches!(found, Ok(true));
        Ok(found?.then(|| (self.number, self.line.trim_ascii())))
    }

    /// Whether nothing comes any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    fn find(&mut self) -> io::Result<bool> {
        loop {
            self.line.clear();
            let most = u64::try_from(LONGEST).unwrap_or(u64::MAX);
            let read = (&mut self.reader).take(most).read_until(b'\n', &mut self.line)?;
            if read == 0 {
                return Ok(false);
            }
            self.number += 1;
            if read == LONGEST {
                let what = format!("line {} is longer than {LONGEST} bytes", self.number);
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }
}
