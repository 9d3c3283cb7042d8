//! The page topic: every message goes through SNS, whose attributes let a subscription choose.

use aws_sdk_sns::Client;
use aws_sdk_sns::error::{DisplayErrorContext, SdkError};
use aws_sdk_sns::types::MessageAttributeValue;
use domain::Message;

/// Why a message was not published. It stays in the outbox and is published again.
#[derive(Debug, thiserror::Error)]
#[error("the topic does not answer: {why}")]
pub struct TopicError {
    why: String,
    /// It cannot be reached at all, so that the next message would not get through either.
    pub unreachable: bool,
}

impl TopicError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self { why: domain::text::line(&error.to_string(), 300), unreachable: false }
    }
}

/// The topic and the client it is reached by.
#[derive(Clone)]
pub struct Topic {
    client: Client,
    arn: String,
}

impl Topic {
    #[must_use]
    pub fn new(client: Client, arn: impl Into<String>) -> Self {
        Self { client, arn: arn.into() }
    }

    /// Publishes a message. Its deduplication key is in the body; publishing twice is harmless.
    pub async fn publish(&self, message: &Message) -> Result<(), TopicError> {
        let body = serde_json::to_string(message).map_err(TopicError::of)?;
        let attribute = |value: &str| {
            MessageAttributeValue::builder().data_type("String").string_value(value).build().map_err(TopicError::of)
        };
        self.client
            .publish()
            .topic_arn(&self.arn)
            .message(body)
            .message_attributes("kind", attribute(message.kind.word())?)
            .message_attributes("severity", attribute(message.severity.word())?)
            .message_attributes("service", attribute(message.key.service.as_str())?)
            .message_attributes("person", attribute(message.key.person.as_str())?)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| {
                let unreachable = matches!(error, SdkError::DispatchFailure(_) | SdkError::TimeoutError(_));
                TopicError { unreachable, ..TopicError::of(DisplayErrorContext(error)) }
            })
    }
}
