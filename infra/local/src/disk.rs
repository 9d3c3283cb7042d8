//! What is answered is on the disk, also if the machine loses power: many writes by one wait for the disk.
//!
//! SQLite would wait at each commit while nobody else can write. Told not to (`synchronous = NORMAL`), it commits into its
//! write-ahead log, and we have the log written out, once for all that were committed meanwhile, before any of them is answered.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// The disk below a data file.
#[derive(Clone)]
pub struct Disk {
    log: Arc<PathBuf>,
    /// How many have asked.
    asked: Arc<AtomicU64>,
    /// How many of them were on the disk when it was last waited for.
    written: Arc<Mutex<u64>>,
}

impl Disk {
    /// That of this data file, which is open. Its log is a file of its own, whose name has to last too.
    pub fn below(file: &Path) -> io::Result<Self> {
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        #[cfg(unix)]
        File::open(file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?
            .sync_all()?;
        Ok(Self { log: Arc::new(log.into()), asked: Arc::default(), written: Arc::default() })
    }

    /// Resolves once everything that was written before is on the disk.
    pub async fn has_it(&self) -> io::Result<()> {
        let own = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        // One waits at a time. Whoever was before it and had it written after we asked, did it for us too.
        let mut written = self.written.lock().await;
        if *written >= own {
            return Ok(());
        }
        let all = self.asked.load(Ordering::SeqCst);
        let log = Arc::clone(&self.log);
        let waited = tokio::task::spawn_blocking(move || File::options().append(true).open(&*log)?.sync_data());
        waited.await.map_err(io::Error::other)??;
        *written = all;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_asks_while_others_wait_is_served_with_them_and_a_log_that_is_gone_is_told() {
        let folder = std::env::temp_dir().join(format!("rd-disk-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("data.sqlite");
        std::fs::write(folder.join("data.sqlite-wal"), "frames").unwrap();
        let disk = Disk::below(&file).unwrap();
        let all = (0..100).map(|_| {
            tokio::spawn({
                let disk = disk.clone();
                async move { disk.has_it().await }
            })
        });
        for one in all.collect::<Vec<_>>() {
            one.await.unwrap().unwrap();
        }
        assert_eq!(*disk.written.lock().await, 100, "each is written");
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(disk.has_it().await.unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(*disk.written.lock().await, 100, "and the one that failed is not");
    }
}
