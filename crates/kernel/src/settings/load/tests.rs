use super::*;
use crate::settings::{EmailDriver, ServerRole, SmsDriver};

fn load(environment: &[(&str, &str)]) -> Result<Loaded> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Loaded::load(&Sources { environment, root: true, ..Sources::default() })
}

fn refused(environment: &[(&str, &str)]) -> Vec<String> {
    load(environment).unwrap_err().fields().iter().map(|field| field.field.clone()).collect()
}

fn from_file(text: &str) -> Result<Loaded> {
    let path = std::env::temp_dir().join(format!("ace-settings-{}.toml", crate::new_id()));
    fs::write(&path, text).unwrap();
    Loaded::load(&Sources { file: Some(path), root: true, ..Sources::default() })
}

fn entry<'a>(loaded: &'a Loaded, name: &str) -> &'a Entry {
    loaded.entries.iter().find(|entry| entry.name == name).unwrap()
}

#[test]
fn the_defaults_load_and_every_setting_says_what_it_means() {
    let loaded = load(&[]).unwrap();
    assert_eq!(loaded.settings.server.public_url, "http://127.0.0.1:8080");
    assert!(loaded.settings.database.is_managed());
    let table: toml::Table = DEFAULTS.parse().unwrap();
    assert_eq!(loaded.entries.len(), flatten(table).len());
    assert_eq!(loaded.entries[0].name, "data_dir");
    for entry in &loaded.entries {
        assert!(entry.meaning.len() > 15, "{} has no comment above it", entry.name);
        assert_eq!(entry.source, Source::Default);
    }
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let path = std::env::temp_dir().join(format!("ace-settings-{}.toml", crate::new_id()));
    fs::write(&path, "[limits]\napi_per_minute = 1\npublic_per_minute = 1\nredemption_per_minute = 1\n").unwrap();
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let loaded = Loaded::load(&Sources {
        file: Some(path.clone()),
        environment: [variable("ACE_LIMITS__API_PER_MINUTE", "2"), variable("ACE_LIMITS__PUBLIC_PER_MINUTE", "2")]
            .into(),
        options: vec![("limits.api_per_minute".to_owned(), "3".to_owned())],
        root: true,
    })
    .unwrap();
    let limits = &loaded.settings.limits;
    assert_eq!((limits.api_per_minute, limits.public_per_minute, limits.redemption_per_minute), (3, 2, 1));
    assert_eq!(limits.receivers_per_minute, 500);
    assert_eq!(entry(&loaded, "limits.api_per_minute").source.to_string(), "command line");
    assert_eq!(
        entry(&loaded, "limits.public_per_minute").source.to_string(),
        "environment ACE_LIMITS__PUBLIC_PER_MINUTE"
    );
    assert_eq!(entry(&loaded, "limits.redemption_per_minute").source, Source::File(path));
}

#[test]
fn short_names_work_long_ones_win_and_empty_ones_are_absent() {
    let loaded = load(&[
        ("DATABASE_URL", "postgres://ace@db/ace"),
        ("ACE_LISTEN", "0.0.0.0:9000"),
        ("ACE_ROLE", "worker"),
        ("ACE_DATA_DIR", "/srv/ace"),
        ("ACE_LOG", "debug"),
        ("ACE_LOG__LEVEL", "warn"),
        ("ACE_DATABASE__POOL_SIZE", ""),
        ("ACE_SECURITY__TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1"),
        ("PATH", "/bin"),
    ])
    .unwrap();
    let settings = &loaded.settings;
    assert_eq!(settings.database.app(), "postgres://ace@db/ace");
    assert!(!settings.database.is_managed());
    assert_eq!(settings.server.public_url, "http://localhost:9000");
    assert_eq!(settings.server.role, ServerRole::Worker);
    assert!(settings.server.role.works() && !settings.server.role.serves());
    assert_eq!(settings.data_dir, PathBuf::from("/srv/ace"));
    assert_eq!(settings.log.level, "warn");
    assert_eq!(settings.database.pool_size, 16);
    assert_eq!(settings.security.trusted_proxies.len(), 2);
}

#[test]
fn unknown_names_are_refused_by_name_wherever_they_stand() {
    assert_eq!(refused(&[("ACE_SERVER__LISTEM", "x"), ("ACE_TYPO", "x")]), ["ACE_SERVER__LISTEM", "ACE_TYPO"]);
    let error = from_file("colour = \"red\"\n[server]\nlistem = \"x\"\n[sever]\nlisten = \"x\"\n").unwrap_err();
    let names: Vec<&str> = error.fields().iter().map(|field| field.field.as_str()).collect();
    assert_eq!(names, ["colour", "server.listem", "sever.listen"]);
    let options = vec![("server.colour".to_owned(), "red".to_owned())];
    assert!(Loaded::load(&Sources { options, root: true, ..Sources::default() }).is_err());
}

#[test]
fn values_of_the_wrong_kind_are_refused_by_name() {
    assert_eq!(refused(&[("ACE_DATABASE__POOL_SIZE", "many")]), ["database.pool_size"]);
    assert_eq!(refused(&[("ACE_DATABASE__POOL_SIZE", "-1")]), ["database.pool_size"]);
    assert_eq!(refused(&[("ACE_DATABASE__POOL_SIZE", "0")]), ["database.pool_size"]);
    assert_eq!(refused(&[("ACE_LISTEN", "8080")]), ["server.listen"]);
    assert_eq!(refused(&[("ACE_ROLE", "king")]), ["server.role"]);
    assert_eq!(refused(&[("ACE_SMS__DRIVER", "pigeon")]), ["sms.driver"]);
    assert_eq!(refused(&[("ACE_SECURITY__TRUSTED_PROXIES", "10.0.0.0/99")]), ["security.trusted_proxies[0]"]);
    let error =
        from_file("[database]\npool_size = \"16\"\n[server]\nlisten = 8080\n[security]\ntrusted_proxies = [1]\n")
            .unwrap_err();
    let names: Vec<&str> = error.fields().iter().map(|field| field.field.as_str()).collect();
    assert_eq!(names, ["database.pool_size", "security.trusted_proxies", "server.listen"]);
    assert!(error.to_string().contains("(in "));
}

#[test]
fn combinations_that_cannot_work_are_refused_by_name() {
    let twilio = ["sms.twilio_account_sid", "sms.twilio_auth_token", "sms.from_number"];
    assert_eq!(refused(&[("ACE_SMS__DRIVER", "twilio")]), twilio);
    assert_eq!(refused(&[("ACE_SMS__FROM_NUMBER", "614 555 0123")]), ["sms.from_number"]);
    assert_eq!(refused(&[("ACE_EMAIL__DRIVER", "smtp")]), ["email.smtp_url", "email.from"]);
    assert_eq!(refused(&[("DATABASE_URL", "mysql://x")]), ["database.url"]);
    assert_eq!(refused(&[("DATABASE_URL", "postgres://db/ace?sslmode=perhaps")]), ["database.url"]);
    let broken = [("DATABASE_URL", "postgres://db/ace"), ("ACE_DATABASE__OWNER_URL", "postgres://db:port/ace")];
    assert_eq!(refused(&broken), ["database.owner_url"]);
    let few = [("ACE_DATABASE__POOL_SIZE", "15"), ("ACE_JOBS__CONCURRENCY", "8")];
    assert_eq!(refused(&few), ["database.pool_size"]);
    assert!(load(&[few[0], few[1], ("ACE_ROLE", "web")]).is_ok(), "who runs no jobs needs no room for them");
    for level in ["infoo", "info,jobs", "info,jobs=loud", "info,"] {
        assert_eq!(refused(&[("ACE_LOG", level)]), ["log.level"], "{level}");
    }
    assert!(load(&[("ACE_LOG", "info, jobs=DEBUG")]).is_ok());
    let one = [("ACE_DATABASE__APP_URL", "postgres://app@db/ace")];
    let others = ["database.owner_url", "database.public_url", "database.signin_url", "database.worker_url"];
    assert_eq!(refused(&one), others);
    assert_eq!(refused(&[("ACE_PUBLIC_URL", "ace.example.com")]), ["server.public_url"]);
    assert_eq!(refused(&[("ACE_PUBLIC_URL", "https://example.com/ace")]), ["server.public_url"]);
    assert_eq!(refused(&[("ACE_PAGES_URL", "go.example.com")]), ["server.pages_url"]);
    let same = [("ACE_PUBLIC_URL", "https://ace.example.com"), ("ACE_PAGES_URL", "https://ACE.example.com:8443")];
    assert_eq!(refused(&same), ["server.pages_url"]);
    assert_eq!(refused(&[("ACE_SECURITY__PASSWORD_MIN_LENGTH", "8")]), ["security.password_min_length"]);
    assert_eq!(refused(&[("ACE_SECURITY__SUPABASE_JWKS_URL", "https://x/jwks")]), ["security.supabase_issuer"]);
    assert_eq!(refused(&[("ACE_KEYS", "nonsense")]), ["security.keys"]);
    assert_eq!(Loaded::load(&Sources::default()).unwrap_err().fields()[0].field, "data_dir");
}

#[test]
fn providers_can_be_switched_on_and_addresses_are_tidied() {
    let loaded = load(&[
        ("ACE_SMS__DRIVER", "twilio"),
        ("ACE_SMS__TWILIO_ACCOUNT_SID", "AC1"),
        ("ACE_SMS__TWILIO_AUTH_TOKEN", "token"),
        ("ACE_SMS__FROM_NUMBER", "+16145550123"),
        ("ACE_EMAIL__DRIVER", "smtp"),
        ("ACE_EMAIL__SMTP_URL", "smtps://u:p@mail.example.com"),
        ("ACE_EMAIL__FROM", "Acme <hello@acme.com>"),
        ("ACE_PUBLIC_URL", "https://ace.example.com/"),
    ])
    .unwrap();
    assert_eq!(loaded.settings.sms.driver, SmsDriver::Twilio);
    assert_eq!(loaded.settings.email.driver, EmailDriver::Smtp);
    assert_eq!(loaded.settings.server.public_url, "https://ace.example.com");
}

#[test]
fn secrets_are_masked_wherever_settings_are_shown_and_nothing_else_is() {
    let secret = Keys::written();
    let loaded = load(&[
        ("DATABASE_URL", "postgres://ace:HIDDEN@db/ace"),
        ("ACE_DATABASE__OWNER_URL", "postgres://ace:HIDDEN@db/ace"),
        ("ACE_DATABASE__APP_URL", "postgres://ace:HIDDEN@db/ace"),
        ("ACE_DATABASE__PUBLIC_URL", "postgres://ace:HIDDEN@db/ace"),
        ("ACE_DATABASE__SIGNIN_URL", "postgres://ace:HIDDEN@db/ace"),
        ("ACE_DATABASE__WORKER_URL", "postgres://ace:HIDDEN@db/ace"),
        ("ACE_SMS__TWILIO_AUTH_TOKEN", "HIDDEN"),
        ("ACE_EMAIL__SMTP_URL", "smtps://u:HIDDEN@mail"),
        ("ACE_KEYS", &secret),
    ])
    .unwrap();
    let debug = format!("{:?}", loaded.settings);
    let json = serde_json::to_value(&loaded.settings).unwrap();
    for text in [debug, json.to_string(), serde_json::to_string(&loaded.entries).unwrap()] {
        assert!(!text.contains("HIDDEN") && !text.contains(&secret[5..20]), "{text}");
    }
    for entry in &loaded.entries {
        let shown = json.pointer(&format!("/{}", entry.name.replace('.', "/"))).unwrap();
        assert_eq!(shown == "••••••••", entry.secret, "{}", entry.name);
    }
    assert_eq!(loaded.entries.iter().filter(|entry| entry.secret).count(), SECRETS.len());
}

/// The test keys on one line, as an environment variable has them.
struct Keys;

impl Keys {
    fn written() -> String {
        crate::keyring::Keyring::for_tests().written().trim().replace('\n', ",")
    }
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_its_line_and_without_its_text() {
    let error = from_file("[sms]\ntwilio_auth_token = \"HIDDEN\" oops\n").unwrap_err().to_string();
    assert!(error.contains("line 2") && !error.contains("HIDDEN"), "{error}");
    let missing = Sources { file: Some(PathBuf::from("/nowhere/ace.toml")), root: true, ..Sources::default() };
    assert!(Loaded::load(&missing).unwrap_err().to_string().contains("/nowhere/ace.toml"));
}

#[test]
fn data_lives_where_the_xdg_rules_say_unless_root_runs() {
    let home = |variables: &[(&str, &str)]| {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Loaded::load(&Sources { environment, ..Sources::default() }).unwrap().settings.data_dir
    };
    assert_eq!(home(&[("HOME", "/home/ada")]), PathBuf::from("/home/ada/.local/share/ace"));
    assert_eq!(home(&[("HOME", "/home/ada"), ("XDG_DATA_HOME", "/data")]), PathBuf::from("/data/ace"));
    assert_eq!(load(&[]).unwrap().settings.data_dir, PathBuf::from("/var/lib/ace"));
}

#[test]
fn tests_get_settings_of_their_own() {
    let (one, two) = (Settings::for_tests(), Settings::for_tests());
    assert_ne!(one.data_dir, two.data_dir);
    assert_eq!(one.sms.driver, SmsDriver::Sandbox);
}
