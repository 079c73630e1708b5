use goalpost_testing::{ORGANIZATION, TestApp, VIEW};

#[tokio::test(flavor = "multi_thread")]
async fn an_export_goes_its_whole_way() {
    let t = TestApp::start().await;
    let made = t.ann().create_export(ORGANIZATION, VIEW).await;
    println!("{made:?} {}", made.text());
    assert_eq!(made.status, 201);
    let id = made.id();
    println!("{}", t.ann().get_export(&id).await.text());
    println!("{}", t.ann().create_export(ORGANIZATION, VIEW).await.text());
    assert!(t.run_one().await);
    println!("{}", t.ann().get_export(&id).await.text());
    println!("{:?}", t.ann().get_content(&id).await);
    println!("{:?}", t.ann().get_content(&id).await.text());
    println!("{}", t.ann().list_exports("$count=true").await.text());
    println!("{}", t.ann().list_exports("$filter=x eq 1").await.text());
    println!("{}", t.ann().get("/beta/nope").await.text());
    println!("{}", t.ann().get("/nope").await.text());
    println!("{:?}", t.client_with_token(None).get("/beta/nope").await);
    println!("{:?}", t.ann().send(t.ann().request("DELETE", &format!("/beta/employeeexperience/goals/exportjobs('{id}')"))).await);
}
