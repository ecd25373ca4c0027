//! Designs through the console and the API, on a real database.
#![cfg(test)]

use serde_json::json;
use testkit::TestApp;
use web::Method;

async fn app() -> TestApp {
    TestApp::new(content::routes).await
}

fn form_config() -> serde_json::Value {
    json!({"fields": [{"id": "email", "type": "email", "label": "E-mail", "required": true}]})
}

#[tokio::test]
async fn a_form_is_made_opened_and_closed_and_another_tenant_sees_none_of_it() {
    let test = app().await;
    let (acme, corner) = (&test.story.acme, &test.story.corner);
    let body = json!({"name": "Inspection", "form_config": form_config()});
    let made = test.api_json(Method::POST, "/v1/forms", &body).bearer(&acme.key).await.expect_status(201).json();
    let path = format!("/v1/forms/{}", made["id"].as_str().unwrap());
    let opened = test.api(Method::POST, &format!("{path}/publish")).bearer(&acme.key).await.expect_status(200).json();
    assert_eq!(opened["is_active"], true);
    test.api(Method::GET, &path).bearer(&corner.key).await.expect_status(404);
    test.api(Method::POST, &format!("{path}/close")).bearer(&corner.key).await.expect_status(404);
    let closed = test.api(Method::POST, &format!("{path}/close")).bearer(&acme.key).await.expect_status(200).json();
    assert_eq!(closed["is_active"], false);
    let list = test.api(Method::GET, "/v1/forms").bearer(&corner.key).await.expect_status(200).json();
    assert_eq!(list["data"], json!([]));
}

#[tokio::test]
async fn a_wrong_form_config_is_refused_with_a_pointer_to_the_field() {
    let test = app().await;
    let body = json!({"name": "Bad", "form_config": {"fields": [{"id": "roof", "type": "select", "label": "Roof"}]}});
    let reply = test.api_json(Method::POST, "/v1/forms", &body).bearer(&test.story.acme.key).await.expect_status(422);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(reply.json()["errors"][0]["pointer"], "#/form_config/fields/0/options");
    let unknown = json!({"name": "Bad", "form_config": {"fields": [{"id": "a", "type": "telepathy", "label": "A"}]}});
    let reply =
        test.api_json(Method::POST, "/v1/forms", &unknown).bearer(&test.story.acme.key).await.expect_status(422);
    assert_eq!(reply.json()["errors"][0]["pointer"], "#/form_config/fields/0/type");
}

#[tokio::test]
async fn publishing_cleans_a_page_and_keeps_what_was_published_when_the_draft_changes() {
    let test = app().await;
    let key = &test.story.acme.key;
    let body = json!({"name": "Offer", "html": "<h1>Hi {{first_name|there}}</h1><script>x()</script>"});
    let made = test.api_json(Method::POST, "/v1/landing-pages", &body).bearer(key).await.expect_status(201).json();
    let path = format!("/v1/landing-pages/{}", made["id"].as_str().unwrap());
    let published = test.api(Method::POST, &format!("{path}/publish")).bearer(key).await.expect_status(200).json();
    let change = json!({"name": "Offer", "html": "<h1>Changed</h1>"});
    let changed = test.api_json(Method::PATCH, &path, &change).bearer(key).await.expect_status(200).json();
    assert_eq!(changed["published_version_id"], published["published_version_id"]);
    let admin = test.database.admin().await;
    let html: String = admin.query_one("select html from landing_page_versions", &[]).await.unwrap().get(0);
    assert_eq!(html, "<h1>Hi {{first_name|there}}</h1>");
}

#[tokio::test]
async fn a_tag_that_cleaning_breaks_is_refused_when_it_is_saved_and_when_an_older_draft_is_published() {
    let test = app().await;
    let key = &test.story.acme.key;
    let broken = "<p>{{custom_fields.x|5 <b}} more</p>";
    for html in [broken, "<p>{{city|<i>here</i>}}</p>"] {
        let body = json!({"name": "Offer", "html": html});
        let reply = test.api_json(Method::POST, "/v1/landing-pages", &body).bearer(key).await.expect_status(422);
        assert_eq!(reply.json()["errors"][0]["pointer"], "#/html", "{html}");
    }
    let body = json!({"name": "Offer", "html": "<p>{{custom_fields.x|5 &lt;b}} more</p>"});
    let made = test.api_json(Method::POST, "/v1/landing-pages", &body).bearer(key).await.expect_status(201).json();
    let id = made["id"].as_str().unwrap();
    let admin = test.database.admin().await;
    let sql = "update landing_pages set content_json = jsonb_set(content_json, '{html}', to_jsonb($1::text))";
    admin.execute(sql, &[&broken]).await.unwrap();
    let path = format!("/v1/landing-pages/{id}/publish");
    let reply = test.api(Method::POST, &path).bearer(key).await.expect_status(422);
    assert_eq!(reply.json()["errors"][0]["pointer"], "#/html");
    let page = format!("/acme-roofing/landing-pages/{id}");
    let publish = format!("{page}/publish");
    let page = test.edit(&test.story.acme_owner, (&page, &publish), &[("", "")]).await.expect_status(422);
    assert!(page.text().contains("not closed") && page.text().contains("more"), "{}", page.text());
    let versions: i64 = admin.query_one("select count(*) from landing_page_versions", &[]).await.unwrap().get(0);
    assert_eq!(versions, 0);
}

#[tokio::test]
async fn page_and_style_are_limited_together_and_the_larger_one_is_named() {
    let test = app().await;
    let send = |html: usize, css: usize| {
        let style = "b{color:red}".repeat(css / 12);
        let body = json!({"name": format!("{html} {css}"), "html": "x".repeat(html), "css": style});
        let (test, key) = (&test, &test.story.acme.key);
        async move { test.api_json(Method::POST, "/v1/landing-pages", &body).bearer(key).await }
    };
    assert_eq!(send(61_000, 0).await.expect_status(422).json()["errors"][0]["pointer"], "#/html");
    assert_eq!(send(25_000, 40_000).await.expect_status(422).json()["errors"][0]["pointer"], "#/css");
    send(30_000, 20_000).await.expect_status(201);
}

#[tokio::test]
async fn the_schema_and_the_builder_offer_the_channel_of_a_consent() {
    let test = app().await;
    let (acme, owner) = (&test.story.acme, &test.story.acme_owner);
    let schema = test.get("/v1/form-config.schema.json").await.expect_status(200).json();
    let field = schema["$defs"]["FormField"]["properties"]["channel"].to_string();
    assert!(field.contains("ConsentChannel"), "{field}");
    assert_eq!(schema["$defs"]["ConsentChannel"]["enum"], json!(["sms", "email", "call"]));
    let consent = |channel: &str| {
        json!({"name": channel, "form_config": {"fields": [
        {"id": "ok", "type": "consent", "label": "You may text me", "channel": channel}]}})
    };
    test.api_json(Method::POST, "/v1/forms", &consent("pigeon")).bearer(&acme.key).await.expect_status(422);
    let made =
        test.api_json(Method::POST, "/v1/forms", &consent("sms")).bearer(&acme.key).await.expect_status(201).json();
    let path = format!("/acme-roofing/forms/{}", made["id"].as_str().unwrap());
    let page = test.get(&path).as_user(owner).await.expect_status(200).text();
    assert!(page.contains("<option value=\"sms\" selected>Text messages</option>"), "{page}");
}

#[tokio::test]
async fn the_builder_shows_an_error_beside_the_field_it_is_about() {
    let test = app().await;
    let typed = [
        ("name", "Inspection"),
        ("accent", "teal"),
        ("animation", "fade"),
        ("card_style", "plain"),
        ("act", "save"),
        ("field_type", "select"),
        ("field_label", "Roof"),
        ("field_options", ""),
    ];
    let page = test.post_form("/acme-roofing/forms", &typed).as_user(&test.story.acme_owner).await.expect_status(422);
    let html = page.text();
    assert!(html.contains("id=\"f-accent-error\""), "{html}");
    assert!(
        html.contains("href=\"#f-form_config-fields-0-options\"")
            && html.contains("id=\"f-form_config-fields-0-options\"")
    );
    assert!(
        html.contains("id=\"f-form_config-fields-0-options-error\"") && html.contains("Give at least one option</p>"),
        "{html}"
    );
}

#[tokio::test]
async fn an_unknown_merge_tag_and_another_tenants_form_are_refused_by_name() {
    let test = app().await;
    let form = json!({"name": "Theirs", "form_config": form_config()});
    let made =
        test.api_json(Method::POST, "/v1/forms", &form).bearer(&test.story.corner.key).await.expect_status(201).json();
    let body = json!({"name": "Offer", "html": "{{frist_name}}", "form_id": null});
    test.api_json(Method::POST, "/v1/landing-pages", &body).bearer(&test.story.acme.key).await.expect_status(422);
    let body = json!({"name": "Offer", "html": "{{frist_name}}"});
    let reply =
        test.api_json(Method::POST, "/v1/landing-pages", &body).bearer(&test.story.acme.key).await.expect_status(422);
    assert!(reply.text().contains("{{frist_name}}"));
    let body = json!({"name": "Offer", "html": "{{form}}", "form_id": made["id"]});
    let reply =
        test.api_json(Method::POST, "/v1/landing-pages", &body).bearer(&test.story.acme.key).await.expect_status(422);
    assert_eq!(reply.json()["errors"][0]["pointer"], "#/form_id");
}

#[tokio::test]
async fn the_form_builder_works_without_scripts_and_keeps_what_was_typed() {
    let test = app().await;
    let owner = &test.story.acme_owner;
    let new = test.get("/acme-roofing/forms/new").as_user(owner).await.expect_status(200);
    assert!(new.text().contains("Add field"));
    let typed = [
        ("name", ""),
        ("title", "Your roof"),
        ("submit_label", "Send"),
        ("accent", "#1d4ed8"),
        ("background", "#ffffff"),
        ("animation", "fade"),
        ("act", "save"),
        ("field_type", "text"),
        ("field_label", "First name"),
        ("field_id", ""),
        ("field_required", "true"),
        ("field_options", ""),
        ("field_help", ""),
        ("field_show_if", ""),
        ("field_show_value", ""),
        ("field_rest", ""),
        ("card_style", "plain"),
    ];
    let refused = test.post_form("/acme-roofing/forms", &typed).as_user(owner).await.expect_status(422);
    assert!(refused.text().contains("Name is required") && refused.text().contains("Your roof"));
    let mut named = typed;
    named[0] = ("name", "Inspection");
    test.post_form("/acme-roofing/forms", &named).as_user(owner).await.expect_status(303);
    let admin = test.database.admin().await;
    let id: String =
        admin.query_one("select form_config #>> '{fields,0,id}' from ace_forms", &[]).await.unwrap().get(0);
    assert_eq!(id, "first_name", "the key is made from the label");
}

#[tokio::test]
async fn every_page_of_design_renders_empty_and_with_a_row_and_is_refused_to_strangers() {
    let test = app().await;
    let owner = &test.story.acme_owner;
    for path in ["templates", "landing-pages", "forms"] {
        let path = format!("/acme-roofing/{path}");
        let empty = test.get(&path).as_user(owner).await.expect_status(200);
        assert!(empty.text().contains("yet"), "{path} says what it is for");
        test.get(&format!("{path}/new")).as_user(owner).await.expect_status(200);
        test.get(&path).as_user(&test.story.corner_owner).await.expect_status(404);
        test.get(&path).as_user(&test.story.acme_agent).await.expect_status(403);
    }
    let piece = [
        ("name", "Spring card"),
        ("size", "6x9"),
        ("front", "Hi {{first_name|there}}"),
        ("back", ""),
        ("category", ""),
    ];
    test.post_form("/acme-roofing/templates", &piece).as_user(owner).await.expect_status(303);
    let again = test.post_form("/acme-roofing/templates", &piece).as_user(owner).await.expect_status(422);
    assert!(again.text().contains("another mail piece") || again.text().contains("another template"));
    let list = test.get("/acme-roofing/templates?q=spring").as_user(owner).await.expect_status(200);
    assert!(list.text().contains("Spring card"));
}

#[tokio::test]
async fn what_would_keep_a_core_busy_is_refused_by_name_before_it_is_looked_at() {
    let test = app().await;
    let (key, owner) = (&test.story.acme.key, &test.story.acme_owner);
    let attributes: String = (0..150_000).map(|n| format!(" a{n}=1")).collect();
    for (html, code) in [
        ("<div>".repeat(380_000), "too_long"),
        ("<div>".repeat(2_000), "too_deep"),
        (format!("<p{attributes}>x</p>"), "too_long"),
        (format!("<p{}>x</p>", &attributes[..20_000]), "too_many"),
        ("{{form}}".repeat(7_000), "too_many"),
        ("{{custom_fields.k}}".repeat(60), "too_long"),
        ("<form><input type=password></form>".to_owned(), "invalid"),
    ] {
        let body = json!({ "name": "Bomb", "html": html });
        let refused =
            test.api_json(Method::POST, "/v1/landing-pages", &body).bearer(key).await.expect_status(422).json();
        assert_eq!(
            (&refused["errors"][0]["pointer"], &refused["errors"][0]["code"]),
            (&json!("#/html"), &json!(code)),
            "{html:.60}"
        );
    }
    let field = json!({"id": "a", "type": "text", "label": "A", "show_if": {"field": "b", "operator": "equals"}});
    let body = json!({ "name": "Bomb", "form_config": { "fields": vec![field; 20_000] } });
    let refused = test.api_json(Method::POST, "/v1/forms", &body).bearer(key).await.expect_status(422);
    assert_eq!(refused.json()["errors"][0]["pointer"], "#/form_config/fields");
    let fields = vec![("field_type", "text"); 1_900];
    let refused = test.post_form("/acme-roofing/forms", &fields).as_user(owner).await.expect_status(422);
    assert!(refused.body.len() < 100_000, "{} bytes", refused.body.len());
    let fields = vec![("field_type", "text"); 60_000];
    let refused = test.post_form("/acme-roofing/forms", &fields).as_user(owner).await.expect_status(413);
    assert!(refused.body.len() < 100_000, "{} bytes", refused.body.len());
    let body =
        json!({ "name": "Long", "size": "6x9", "front": "x".repeat(1_400_000), "category": "x".repeat(100_000) });
    let refused = test.api_json(Method::POST, "/v1/templates", &body).bearer(key).await.expect_status(422).json();
    let pointers: Vec<_> =
        refused["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["#/category", "#/front"]);
}

#[tokio::test]
async fn publish_and_open_save_what_is_in_the_editor_first_and_lose_nothing_when_it_is_wrong() {
    let test = app().await;
    let (key, owner) = (&test.story.acme.key, &test.story.acme_owner);
    let body = json!({"name": "Offer", "html": "<h1>Old</h1>"});
    let made = test.api_json(Method::POST, "/v1/landing-pages", &body).bearer(key).await.expect_status(201).json();
    let page = format!("/acme-roofing/landing-pages/{}", made["id"].as_str().unwrap());
    let admin = test.database.admin().await;
    let send = async |html: &str| {
        let typed = [("act", "publish"), ("name", "Offer"), ("html", html), ("css", ""), ("form_id", "")];
        test.edit(owner, (&page, &format!("{page}/publish")), &typed).await
    };
    let versions = "select coalesce(string_agg(html, ',' order by version), '') from landing_page_versions";
    send("<h1>New</h1>").await.expect_status(303);
    let html: String = admin.query_one(versions, &[]).await.unwrap().get(0);
    assert_eq!(html, "<h1>New</h1>");
    let wrong = send("<h1>{{no_such_tag}}</h1>").await.expect_status(422).text();
    assert!(wrong.contains("no_such_tag") && wrong.contains("data-unsaved"), "{wrong}");
    let begun = [("starter", "roofing"), ("name", "My own name"), ("html", "")];
    let begun = test.post_form("/acme-roofing/landing-pages/new", &begun).as_user(owner).await.expect_status(200);
    assert!(begun.text().contains("My own name"));

    let body = json!({"name": "Inspection", "form_config": form_config()});
    let made = test.api_json(Method::POST, "/v1/forms", &body).bearer(key).await.expect_status(201).json();
    let form = format!("/acme-roofing/forms/{}", made["id"].as_str().unwrap());
    for (to, label) in [("publish", "Work e-mail"), ("close", "Home e-mail")] {
        let typed = [
            ("act", "publish"),
            ("name", "Inspection"),
            ("field_id", "email"),
            ("field_type", "email"),
            ("field_label", label),
            ("animation", "none"),
            ("card_style", "plain"),
        ];
        test.edit(owner, (&form, &format!("{form}/{to}")), &typed).await.expect_status(303);
        let sql = "select is_active, form_config -> 'fields' -> 0 ->> 'label' from ace_forms";
        let row = admin.query_one(sql, &[]).await.unwrap();
        assert_eq!((row.get::<_, bool>(0), row.get::<_, String>(1)), (to == "publish", label.to_owned()));
    }
}

#[tokio::test]
async fn who_saves_after_somebody_else_sees_theirs_keeps_what_was_typed_and_publishes_nothing() {
    let test = app().await;
    let (key, owner) = (&test.story.acme.key, &test.story.acme_owner);
    let body = json!({"name": "Offer", "html": "<h1>Old</h1>"});
    let made = test.api_json(Method::POST, "/v1/landing-pages", &body).bearer(key).await.expect_status(201).json();
    let page = format!("/acme-roofing/landing-pages/{}", made["id"].as_str().unwrap());
    let read = test.get(&page).as_user(owner).await.version();
    let publish = format!("{page}/publish");
    let send = |to: &str, html: &str, version: &str| {
        let typed = [("act", "publish"), ("name", "Offer"), ("html", html), ("css", ""), ("form_id", "")];
        test.post_form(to, &typed).and("version", version).as_user(owner)
    };
    send(&page, "<h1>First</h1>", &read).await.expect_status(303);
    for to in [&page, &publish] {
        let late = send(to, "<h1>Second</h1>", &read).await.expect_status(422);
        let text = late.text();
        assert!(text.contains("&#60;h1&#62;First") && text.contains("&#60;h1&#62;Second"), "{text}");
        assert!(text.contains("data-refused") && !text.contains("f-name-theirs"), "only what differs: {text}");
    }
    let admin = test.database.admin().await;
    let draft = "select content_json ->> 'html' from landing_pages";
    let html: String = admin.query_one(draft, &[]).await.unwrap().get(0);
    assert_eq!(html, "<h1>First</h1>");
    let versions: i64 = admin.query_one("select count(*) from landing_page_versions", &[]).await.unwrap().get(0);
    assert_eq!(versions, 0);
    let seen = send(&page, "<h1>Second</h1>", &read).await.version();
    send(&publish, "<h1>Second</h1>", &seen).await.expect_status(303);

    let body = json!({"name": "Inspection", "form_config": form_config()});
    let made = test.api_json(Method::POST, "/v1/forms", &body).bearer(key).await.expect_status(201).json();
    let form = format!("/acme-roofing/forms/{}", made["id"].as_str().unwrap());
    let read = test.get(&form).as_user(owner).await.version();
    let send = |act: &str, label: &str, version: &str| {
        let field = [("field_id", "email"), ("field_type", "email"), ("field_label", label)];
        let rest = [("act", act), ("name", "Inspection"), ("animation", "none"), ("card_style", "plain")];
        test.post_form(&form, &[&field[..], &rest].concat()).and("version", version).as_user(owner)
    };
    send("save", "Work e-mail", &read).await.expect_status(303);
    let added = send("add", "Home e-mail", &read).await.expect_status(200);
    let late = send("save", "Home e-mail", &added.version()).await.expect_status(422).text();
    assert!(late.contains(">Work e-mail</pre>") && late.contains("value=\"Home e-mail\""), "{late}");
}

#[tokio::test]
async fn a_page_speaks_of_passwords_neither_alone_nor_with_its_style_nor_with_its_form() {
    let test = app().await;
    let key = &test.story.acme.key;
    let post = |path: &'static str, body: &serde_json::Value| test.api_json(Method::POST, path, body).bearer(key);
    let fields = json!({ "fields": [{ "id": "a", "type": "text", "label": "Season pass" }] });
    let form = post("/v1/forms", &json!({ "name": "Tickets", "form_config": fields })).await.expect_status(201).json();
    let titled = json!({ "fields": [], "settings": { "title": "Your password" } });
    let refused =
        post("/v1/forms", &json!({ "name": "Sign in", "form_config": titled })).await.expect_status(422).json();
    assert_eq!(refused["errors"][0]["pointer"], "#/form_config/settings/title");
    let none = serde_json::Value::Null;
    for (html, css, form_id, pointer) in [
        ("<p>Your password</p>{{form}}", "", &none, "#/html"),
        ("<i>Pass</i><i>word</i>{{form}}", "", &none, "#/html"),
        ("<p>Hello</p>{{form}}", "label::after{content:\"word\"}", &none, "#/css"),
        ("<p>Hello</p>{{form}}", "@font-face{font-family:x;src:local('Wingdings')}", &none, "#/css"),
        ("<i>word</i>{{form}}", "", &form["id"], "#/form_id"),
    ] {
        let page = json!({ "name": "Offer", "html": html, "css": css, "form_id": form_id });
        let refused = post("/v1/landing-pages", &page).await.expect_status(422).json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{html} {css}");
    }
    let page = json!({ "name": "Offer", "html": "<h1>Word of mouth</h1>{{form}}", "css": "li::before{content:'✓ '}", "form_id": form["id"] });
    post("/v1/landing-pages", &page).await.expect_status(201);
}
