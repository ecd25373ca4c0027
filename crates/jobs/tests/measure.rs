#![cfg(test)]
#![allow(missing_docs)]
use jobs::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore]
async fn measure() {
    let clock = kernel::Clock::system();
    let options = database::ConnectOptions::one_url(&std::env::var("URL").unwrap(), 8).unwrap();
    let db = database::Database::new(&options, clock.clone()).unwrap();
    let actor = kernel::Actor::system(kernel::System::Worker);
    let at = Instant::now();
    for _ in 0..20 {
        let tx = db.scope(&actor).transaction().await.unwrap();
        enqueue_many(
            &tx,
            &(0..1000).map(|n| NewJob::new("measure.x", serde_json::json!({"n": n}))).collect::<Vec<_>>(),
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }
    println!("enqueued/s {}", (20_000.0 / at.elapsed().as_secs_f64()) as u64);
    let n = Arc::new(AtomicUsize::new(0));
    let c = n.clone();
    let at = Instant::now();
    let slots = std::env::var("SLOTS").ok().and_then(|s| s.parse().ok()).unwrap_or(16);
    let worker = Worker::start(
        db.clone(),
        clock,
        Registry::new().on("measure.x", move |_| {
            c.fetch_add(1, Ordering::SeqCst);
            async { Ok(()) }
        }),
        slots,
    );
    while n.load(Ordering::SeqCst) < 20_000 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    println!("slots {slots} ran/s {}", (20_000.0 / at.elapsed().as_secs_f64()) as u64);
    worker.stop().await;
}
