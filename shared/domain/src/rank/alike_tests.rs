//! Words in common.

use super::*;

fn said(text: &str) -> String {
    words(text, "edxapp production").into_iter().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_telling_words_of_an_alert() {
    assert_eq!(said("CheckoutErrorRate above threshold on edxapp"), "checkout");
    assert_eq!(said("payment_webhook latency high: HTTPTimeoutException"), "httptimeout payment webhook");
    assert_eq!(said("7 % of requests fail"), "fail");
    assert_eq!(said("\u{1f4a3} é"), "");
}

#[test]
fn a_word_that_few_changes_have_says_more_than_one_that_many_have() {
    let alert = words("CheckoutCouponErrors", "");
    let changes: [(&str, &[&str]); 4] = [
        ("Faster checkout", &["shop/checkout.py"]),
        ("Coupons for checkout", &["shop/coupon.py"]),
        ("checkout again", &[]),
        ("Docs", &["README.md"]),
    ];
    let found: Vec<Option<(f64, &str)>> = alike(&alert, &changes);
    assert_eq!(found, [Some((0.5, "checkout")), Some((1.0, "coupon")), Some((0.5, "checkout")), None]);
    assert_eq!(alike(&BTreeSet::new(), &changes), [None; 4]);
}
