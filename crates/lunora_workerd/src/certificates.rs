//! Which certificate authorities workerd trusts.
//!
//! It reads them at every start. Left to itself it opens the system's bundle and then every certificate in the
//! folder beside it, which is the same ones again: 150 files and 440 look-ups, more than a millisecond of each reload.

use std::ffi::OsString;
use std::path::Path;

/// What OpenSSL, and with it workerd, understands.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Where distributions keep all authorities in one file.
#[cfg(target_os = "linux")]
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// The keychain is no file.
#[cfg(not(target_os = "linux"))]
const BUNDLES: &[&str] = &[];

/// Variables for workerd's environment: what the user set, as far as it is there, else the system's bundle.
pub(crate) fn certificate_environment(
    variable: impl Fn(&str) -> Option<OsString>,
    exists: impl Fn(&Path) -> bool,
) -> Vec<(OsString, OsString)> {
    let chosen: Vec<_> = VARIABLES
        .iter()
        .filter_map(|name| Some((OsString::from(name), variable(name)?)))
        .filter(|(_, path)| exists(Path::new(path)))
        .collect();
    if !chosen.is_empty() {
        return chosen;
    }
    let bundle = BUNDLES.iter().find(|path| exists(Path::new(path)));
    bundle
        .map(|path| (OsString::from(VARIABLES[0]), OsString::from(path)))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(set: &[(&str, &str)], there: &[&str]) -> Vec<(OsString, OsString)> {
        certificate_environment(
            |name| Some(set.iter().find(|(known, _)| *known == name)?.1.into()),
            |path| there.iter().any(|known| Path::new(known) == path),
        )
    }

    #[test]
    fn what_the_user_set_is_passed_on() {
        let mine = [("SSL_CERT_FILE", "/mine.pem"), ("SSL_CERT_DIR", "/certs")];
        let there = ["/mine.pem", "/certs", "/etc/ssl/cert.pem"];
        assert_eq!(
            environment(&mine, &there),
            mine.map(|(name, path)| (name.into(), path.into()))
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn otherwise_the_bundle_alone_is_read() {
        let expected = vec![("SSL_CERT_FILE".into(), "/etc/ssl/cert.pem".into())];
        assert_eq!(environment(&[], &["/etc/ssl/cert.pem"]), expected);
        // workerd does not start with a path that is not there.
        assert_eq!(
            environment(&[("SSL_CERT_FILE", "/gone.pem")], &["/etc/ssl/cert.pem"]),
            expected
        );
        assert_eq!(environment(&[], &[]), []);
    }
}
