//! Stack traces as each language writes them.

use super::*;

fn said(text: &str) -> String {
    names(text).join(" ")
}

#[test]
fn the_frames_of_each_language_are_read_nearest_to_the_failure_first() {
    let python = "Traceback (most recent call last):\n  File \"/app/shop/urls.py\", line 3, in route\n  File \"/usr/lib/python3.11/site-packages/django/core.py\", line 9, in get\n  File \"/app/shop/cart/views.py\", line 42, in total\nKeyError: 'sum'";
    assert_eq!(said(python), "app/shop/cart/views.py app/shop/urls.py");
    let jvm = "java.lang.NullPointerException: cart\n\tat com.acme.cart.CartService.total(CartService.java:42)\n\tat java.base/java.util.ArrayList.forEach(ArrayList.java:1511)\n\tat app//com.acme.web.CartController.show(CartController.kt:7)";
    assert_eq!(said(jvm), "com/acme/cart/CartService.java com/acme/web/CartController.kt");
    let javascript = "TypeError: x is undefined\n    at total (/srv/app/src/cart/total.ts:12:5)\n    at webpack:///./src/pages/checkout.tsx?1a2b:3:1\n    at node:internal/process/task_queues.js:95:5\n    at Object.<anonymous> (/srv/app/node_modules/express/lib/router.js:9:1)";
    assert_eq!(said(javascript), "srv/app/src/cart/total.ts src/pages/checkout.tsx");
    let go = "goroutine 1 [running]:\ngithub.com/acme/shop/cart.Total(...)\n\t/src/cart/total.go:33 +0x1d\nmain.main()\n\t/usr/local/go/src/runtime/proc.go:250";
    assert_eq!(said(go), "src/cart/total.go github/com/acme/shop/cart/Total main/main");
    let ruby = "app/models/cart.rb:12:in 'total': undefined method 'sum' (NoMethodError)\n\tfrom /usr/local/bundle/gems/rack-2.2/lib/rack.rb:7:in 'call'\n\tfrom /app/app/controllers/carts_controller.rb:5:in 'show'";
    assert_eq!(said(ruby), "app/models/cart.rb app/app/controllers/carts_controller.rb");
    let rust = "thread 'main' panicked at src/cart/total.rs:12:5:\n   3: shop::cart::total::sum\n             at ./src/cart/total.rs:12:5\n   4: core::ops::function::FnOnce::call_once\n             at /rustc/abc/library/core/src/ops/function.rs:250:5";
    assert!(said(rust).starts_with("src/cart/total.rs "), "{}", said(rust));
    assert_eq!(said("shop/cart/views.py, shop/urls.py"), "shop/cart/views.py shop/urls.py");
    assert_eq!(said("cart.views in total"), "cart/views");
    assert_eq!(said("9.3 % of requests fail, see 10.0.0.1:8080 and v1.2.3"), "");
}

#[test]
fn a_name_means_the_files_that_end_as_it_does() {
    let paths = ["shop/cart/views.py", "shop/orders/views.py", "README.md", "src/cart/total.rs"];
    let sure = |text: &str| matches(&names(text), &paths).map(|(sure, file)| format!("{sure:.2} {file}"));
    assert_eq!(sure("File \"/app/shop/cart/views.py\"").unwrap(), "1.00 shop/cart/views.py");
    // Files of this name are everywhere.
    assert_eq!(sure("views.py:3").unwrap(), "0.10 shop/cart/views.py");
    assert_eq!(sure("total.rs:12").unwrap(), "0.50 src/cart/total.rs");
    assert_eq!(sure("shop.cart.views.Total.sum").unwrap(), "0.70 shop/cart/views.py");
    assert_eq!(sure("shop::cart::total").unwrap(), "0.70 src/cart/total.rs");
    assert_eq!(sure("other::total::sum"), None);
    // Another service's file of the same name, which everybody has.
    assert_eq!(sure("/services/b/cart/total.rs").unwrap(), "0.20 src/cart/total.rs");
    assert_eq!(sure("payments.api.example.com answers 503"), None);
    assert_eq!(sure("nothing here"), None);
    // The further from the failure, the less.
    assert_eq!(sure("a/b.rs c/d.rs e/f.rs src/cart/total.rs").unwrap(), "0.50 src/cart/total.rs");
}

#[test]
fn whatever_the_text_is_the_names_are_few_short_and_one_line() {
    let long = "x/".repeat(5_000) + "a.py";
    let many: String = (0..5_000).map(|i| format!("d/f{i}.py\u{202e} ")).collect();
    for text in
        [long.as_str(), &many, "((((((.py", "a.java(b.java:", "\u{1f4a3}.rs", "....", "::::", "(a.kt)", "é.é.é/ö.py"]
    {
        let found = names(text);
        assert!(found.len() <= MOST_NAMES && found.iter().all(|name| name.chars().count() <= LONGEST), "{text:.20}");
        assert!(found.iter().all(|name| !name.contains(['\n', '\u{202e}'])));
    }
}

#[test]
fn how_surely_a_name_means_a_file() {
    for (name, path, sure) in [
        // All of it.
        ("total.py", "total.py", 0.7),
        ("main.py", "main.py", 0.14),
        ("cart/total.py", "cart/total.py", 1.0),
        // The file at the end of a longer name.
        ("app/cart/total.py", "cart/total.py", 1.0),
        ("app/total.py", "total.py", 0.5),
        ("app/main.py", "main.py", 0.1),
        // The name is shorter.
        ("cart/total.py", "src/cart/total.py", 0.8),
        ("total.py", "src/total.py", 0.5),
        ("main.py", "src/main.py", 0.1),
        // They part ways.
        ("x/total.py", "y/total.py", 0.1),
        ("x/main.py", "y/main.py", 0.02),
        ("x/cart/total.py", "y/cart/total.py", 0.2),
        ("x/cart/main.py", "y/cart/main.py", 0.04),
        ("x/a/cart/total.py", "y/a/cart/total.py", 0.4),
        ("x/a/cart/main.py", "y/a/cart/main.py", 0.08),
        ("total.py", "cart.py", 0.0),
        // A module, a class in it, a function of that; no further.
        ("cart/total", "src/cart/total.py", 0.7),
        ("cart/total/Sum", "src/cart/total.py", 0.7),
        ("cart/total/Sum/of", "src/cart/total.py", 0.7),
        ("cart/total/Sum/of/it", "src/cart/total.py", 0.0),
        ("other/total", "src/cart/total.py", 0.0),
    ] {
        let found = surely(name, path);
        assert!((found - sure).abs() < 1e-9, "{name} in {path}: {found}, not {sure}");
    }
}

#[test]
fn of_several_files_the_surest_is_meant_and_of_equals_the_first_by_name() {
    let meant = |name: &str, paths: &[&'static str]| {
        matches(&[name.to_owned()], paths).map(|(sure, file)| format!("{sure:.2} {file}"))
    };
    let sure = Some("1.00 z/cart/total.py".to_owned());
    // In whatever order they are given.
    assert_eq!(meant("z/cart/total.py", &["z/cart/total.py", "a/other/total.py"]), sure);
    assert_eq!(meant("z/cart/total.py", &["a/other/total.py", "z/cart/total.py"]), sure);
    let equal = Some("0.50 a/total.py".to_owned());
    assert_eq!(meant("total.py", &["b/total.py", "a/total.py"]), equal);
    assert_eq!(meant("total.py", &["a/total.py", "b/total.py"]), equal);
    assert_eq!(meant("total.py", &["a/x.py"]), None);
}

#[test]
fn what_is_too_short_or_is_marked_up_is_read_as_people_would() {
    assert_eq!(said("a.c fails"), "", "three letters are no name");
    assert_eq!(said("ab.c fails"), "ab.c");
    assert_eq!(said("e.gg.x and i.e.this"), "", "one letter is no module");
    assert_eq!(said("**cart.views** in =cart.total="), "cart/views cart/total");
    assert_eq!(said("_cart.views_"), "_cart/views_");
}
