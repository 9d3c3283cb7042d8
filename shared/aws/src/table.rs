//! The table itself: its keys, indexes and time-to-live, created where there is no template to create it.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TableStatus, TimeToLiveSpecification,
};

use crate::keys;
use crate::store::StoreError;

/// Creates the table unless it is there, and waits until it can be used.
pub async fn create_if_absent(client: &Client, table: &str) -> Result<(), StoreError> {
    if is_active(client, table).await? {
        return Ok(());
    }
    let text = ScalarAttributeType::S;
    let result = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(keys::PARTITION, text.clone())?)
        .attribute_definitions(attribute(keys::SORT, text.clone())?)
        .attribute_definitions(attribute(keys::DUE, text.clone())?)
        .attribute_definitions(attribute(keys::DUE_AT, ScalarAttributeType::N)?)
        .attribute_definitions(attribute(keys::PERSON, text)?)
        .attribute_definitions(attribute(keys::PERSON_AT, ScalarAttributeType::N)?)
        .key_schema(element(keys::PARTITION, KeyType::Hash)?)
        .key_schema(element(keys::SORT, KeyType::Range)?)
        .global_secondary_indexes(index(keys::DUE_INDEX, keys::DUE, keys::DUE_AT, ProjectionType::KeysOnly)?)
        .global_secondary_indexes(index(keys::PERSON_INDEX, keys::PERSON, keys::PERSON_AT, ProjectionType::KeysOnly)?)
        .send()
        .await;
    if let Err(error) = result
        && !error
            .as_service_error()
            .is_some_and(aws_sdk_dynamodb::operation::create_table::CreateTableError::is_resource_in_use_exception)
    {
        return Err(StoreError::unavailable(DisplayErrorContext(error)));
    }
    for _ in 0..100 {
        if is_active(client, table).await? {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let expiry = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name(keys::EXPIRES)
        .build()
        .map_err(StoreError::unavailable)?;
    client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(expiry)
        .send()
        .await
        .map_err(|e| StoreError::unavailable(DisplayErrorContext(e)))?;
    Ok(())
}

async fn is_active(client: &Client, table: &str) -> Result<bool, StoreError> {
    match client.describe_table().table_name(table).send().await {
        Ok(described) => Ok(described.table().and_then(|t| t.table_status()) == Some(&TableStatus::Active)),
        Err(error)
            if error.as_service_error().is_some_and(
                aws_sdk_dynamodb::operation::describe_table::DescribeTableError::is_resource_not_found_exception,
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(StoreError::unavailable(DisplayErrorContext(error))),
    }
}

fn attribute(name: &str, kind: ScalarAttributeType) -> Result<AttributeDefinition, StoreError> {
    AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().map_err(StoreError::unavailable)
}

fn element(name: &str, kind: KeyType) -> Result<KeySchemaElement, StoreError> {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(StoreError::unavailable)
}

fn index(name: &str, hash: &str, range: &str, projection: ProjectionType) -> Result<GlobalSecondaryIndex, StoreError> {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .key_schema(element(hash, KeyType::Hash)?)
        .key_schema(element(range, KeyType::Range)?)
        .projection(Projection::builder().projection_type(projection).build())
        .build()
        .map_err(StoreError::unavailable)
}
