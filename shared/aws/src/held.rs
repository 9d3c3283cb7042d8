//! Answers of the table that are held until what was written is on the disk, where the table is a file of this machine.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;

/// Resolves once everything that was written before it was called is on the disk.
pub type OnDisk = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = io::Result<()>> + Send>> + Send + Sync>;

/// What only reads need not wait for anything.
const READS: [&str; 5] = ["BatchGetItem", "DescribeTable", "GetItem", "Query", "Scan"];

/// A connector by which writes are answered once they are on the disk. Where that fails the answer is lost, as on the way.
pub struct Held {
    inner: SharedHttpConnector,
    on_disk: OnDisk,
}

impl Held {
    pub fn new(inner: SharedHttpConnector, on_disk: OnDisk) -> Self {
        Self { inner, on_disk }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Held").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl HttpConnector for Held {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
        let reads = target.is_some_and(|target| READS.contains(&target));
        let (answer, on_disk) = (self.inner.call(request), Arc::clone(&self.on_disk));
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            if !reads {
                on_disk().await.map_err(|error| ConnectorError::io(error.into()))?;
            }
            Ok(answer)
        })
    }
}
