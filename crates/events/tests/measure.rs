#![cfg(test)]
#![allow(missing_docs)]
use events::{Visit, VisitKind, VisitWriter};
use std::time::{Duration, Instant};
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore]
async fn measure() {
    let clock = kernel::Clock::system();
    let options = database::ConnectOptions::one_url(&std::env::var("URL").unwrap(), 8).unwrap();
    let db = database::Database::new(&options, clock.clone()).unwrap();
    let writer = VisitWriter::start(&db);
    let tasks: usize = std::env::var("TASKS").ok().and_then(|t| t.parse().ok()).unwrap_or(64);
    let until = Instant::now() + Duration::from_secs(5);
    let mut set = tokio::task::JoinSet::new();
    for n in 0..tasks {
        let (writer, clock) = (writer.clone(), clock.clone());
        set.spawn(async move {
            let mut r = n as u64 * 7919 + 1;
            let mut waits = Vec::new();
            while Instant::now() < until {
                r = r.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let at = Instant::now();
                let v = writer
                    .visit(Visit {
                        token: format!("{:010}", 1 + (r >> 33) % 100000),
                        kind: VisitKind::Purl,
                        bot: false,
                        ip: "203.0.113.5".parse().ok(),
                        user_agent: Some(
                            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15".into(),
                        ),
                        referrer: None,
                        at: clock.now(),
                    })
                    .await
                    .unwrap();
                assert!(v.is_some());
                waits.push(at.elapsed());
            }
            waits
        });
    }
    let mut all: Vec<Duration> = set.join_all().await.into_iter().flatten().collect();
    all.sort();
    println!("visits/s {} p50 {:?} p99 {:?}", all.len() / 5, all[all.len() / 2], all[all.len() * 99 / 100]);
}
