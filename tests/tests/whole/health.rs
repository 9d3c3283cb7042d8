//! Whoever watches the program from outside sees within five minutes that its clock has stopped.

use aws::Request;
use house_tests::Stage;

async fn health(day: &Stage) -> (u16, String) {
    let answer = day.bundle.route(Request::new("GET", "/health", Vec::new(), Vec::new())).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_clock_that_stops_or_fails_is_seen_from_outside_within_five_minutes_and_one_that_goes_never() {
    let mut day = Stage::new().await;
    assert_eq!(health(&day).await.0, 200, "it has just begun");
    day.tick_until("Fri 12:30").await;
    let (status, body) = health(&day).await;
    assert_eq!(status, 200);
    assert_eq!(
        body.trim(),
        r#"{"checks":{"tick":[{"componentType":"system","status":"pass","time":"2026-03-20T12:30:00Z"}]},"status":"pass"}"#
    );
    // It stops. Whatever else goes on is no tick.
    for (minute, status) in [("Fri 12:34", 200), ("Fri 12:35", 503), ("Fri 12:50", 503)] {
        day.clock.set(house_tests::time(minute));
        day.merge("feanil", 1).await;
        assert_eq!(health(&day).await.0, status, "{minute}");
    }
    day.tick_until("Fri 12:51").await;
    assert_eq!(health(&day).await.0, 200);
    // It ticks, and gets nowhere.
    let without = day.without_table();
    let house = std::mem::replace(&mut day.bundle.house, without);
    day.tick_until("Fri 12:56").await;
    assert!(health(&day).await.1.contains(r#""status":"fail""#));
    day.bundle.house = house;
    day.tick_until("Fri 12:57").await;
    assert_eq!(health(&day).await.0, 200);
}
