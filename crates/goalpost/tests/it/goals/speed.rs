//! How long one check-in takes below twelve goals, and beside a thousand.

use std::time::Instant;

use goalpost::goals::ProgressMode;

use super::{key_result, made, objective, server};
use crate::checkins::value;
use crate::imports::Server;

/// The middle of 21 check-ins on a goal, in milliseconds.
fn median(server: &Server, goal: i64) -> f64 {
    let mut times: Vec<f64> = (0..21)
        .map(|turn| {
            let begins = Instant::now();
            value(server, goal, f64::from(turn) + 0.5);
            begins.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[10]
}

#[test]
#[ignore = "a measurement: cargo nextest run --release -p goalpost goals::speed --run-ignored all --no-capture"]
fn one_check_in() {
    let server = server();
    let mut top = made(&server, &objective("Top"));
    for _ in 0..11 {
        top = made(&server, &objective("Lower").below(top));
    }
    let mut leaf = key_result("Leaf").below(top);
    leaf.fields.progress_mode = Some(ProgressMode::Manual);
    let leaf = made(&server, &leaf);
    println!("through 12 levels: {:.2} ms", median(&server, leaf));

    let wide = made(&server, &objective("Wide"));
    let mut last = 0;
    for _ in 0..1000 {
        last = made(&server, &key_result("One of a thousand").below(wide));
    }
    println!("beside 999 others: {:.2} ms", median(&server, last));
}
