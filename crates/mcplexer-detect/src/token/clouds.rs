//! Keys of clouds, databases, vaults and monitoring.

use crate::shape::Part::{Lit, Pad, Random, Run};
use crate::shape::Set::{
    Alnum, Any, AnyHex, Base64, Bech32, Digit, Hex, Lower, Upper, Url, UrlDot, Uuid, Word,
};
use crate::shape::{Shape, shape};

pub(super) const SHAPES: &[Shape] = &[
    // Clouds.
    shape(
        "AWS access key",
        &["AKIA", "ASIA", "ABIA", "ACCA"],
        &[Run(Upper, 16, 16)],
    ),
    shape("Google API key", &["AIza"], &[Run(Url, 35, 35)]),
    shape("Google client secret", &["GOCSPX-"], &[Run(Url, 28, 28)]),
    shape("Google access token", &["ya29."], &[Run(UrlDot, 20, 2000)]),
    shape("Google refresh token", &["1//0"], &[Random(Url, 40, 200)]),
    shape(
        "Azure client secret",
        &[""],
        &[
            Run(Alnum, 3, 3),
            Run(Digit, 1, 1),
            Lit("Q~"),
            Run(UrlDot, 31, 34),
        ],
    ),
    shape("Alibaba access key", &["LTAI"], &[Random(Alnum, 17, 24)]),
    shape(
        "DigitalOcean token",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        &[Run(Hex, 64, 64)],
    ),
    shape(
        "Cloudflare Origin CA key",
        &["v1.0-"],
        &[Run(Hex, 24, 24), Lit("-"), Run(Hex, 146, 146)],
    ),
    shape(
        "Cloudflare token",
        &["cfut_", "cfat_"],
        &[Run(Alnum, 48, 48)],
    ),
    shape("Cloudflare key", &["cfk_"], &[Run(Alnum, 48, 48)]),
    shape("Heroku key", &["HRKU-"], &[Run(Url, 36, 64)]),
    shape("Netlify token", &["nfp_"], &[Run(Alnum, 36, 40)]),
    shape("Vercel token", &["vcp_"], &[Random(Alnum, 24, 80)]),
    shape("Vercel AI Gateway key", &["vck_"], &[Random(Alnum, 24, 80)]),
    shape("Fly.io token", &["fo1_"], &[Run(Url, 43, 43)]),
    shape(
        "Fly.io token",
        &["fm1r_", "fm1a_", "fm2_"],
        &[Run(Any, 100, 2000)],
    ),
    shape("Scaleway access key", &["SCW"], &[Random(Upper, 17, 17)]),
    shape(
        "Tailscale key",
        &["tskey-"],
        &[Run(Lower, 3, 12), Lit("-"), Run(Url, 16, 80)],
    ),
    shape("OpenShift token", &["sha256~"], &[Run(Url, 43, 43)]),
    // Databases.
    shape("Supabase token", &["sbp_"], &[Run(Hex, 40, 40)]),
    shape("Supabase secret key", &["sb_secret_"], &[Run(Url, 20, 60)]),
    shape(
        "PlanetScale token",
        &["pscale_tkn_", "pscale_oauth_"],
        &[Run(UrlDot, 32, 64)],
    ),
    shape(
        "PlanetScale password",
        &["pscale_pw_"],
        &[Run(UrlDot, 32, 64)],
    ),
    shape("Neon key", &["napi_"], &[Random(Alnum, 32, 80)]),
    shape("Databricks token", &["dapi"], &[Run(Hex, 32, 32)]),
    shape("ClickHouse key", &["4b1d"], &[Random(Alnum, 38, 38)]),
    shape(
        "Airtable token",
        &["pat"],
        &[Run(Alnum, 14, 14), Lit("."), Run(Hex, 64, 64)],
    ),
    // Vaults.
    shape("Vault token", &["hvs."], &[Run(Url, 24, 300)]),
    shape("Vault token", &["hvb."], &[Run(Url, 60, 500)]),
    shape("Vault token", &["hvr."], &[Run(Url, 24, 500)]),
    shape("Vault token", &["s."], &[Random(Alnum, 24, 24)]),
    shape(
        "Doppler token",
        &["dp.pt.", "dp.ct.", "dp.sa."],
        &[Run(Alnum, 40, 44)],
    ),
    shape("Doppler token", &["dp.st."], &[Run(UrlDot, 40, 80)]),
    shape(
        "Bitwarden token",
        &["0."],
        &[
            Run(Uuid, 36, 36),
            Lit("."),
            Run(Alnum, 30, 30),
            Lit(":"),
            Run(Base64, 22, 22),
            Pad,
        ],
    ),
    shape("1Password token", &["ops_"], &[Run(Any, 100, 2000)]),
    shape(
        "1Password secret key",
        &["A3-"],
        &[
            Run(Upper, 6, 6),
            Lit("-"),
            Run(Upper, 6, 6),
            Lit("-"),
            Run(Upper, 5, 5),
            Lit("-"),
            Run(Upper, 5, 5),
            Lit("-"),
            Run(Upper, 5, 5),
            Lit("-"),
            Run(Upper, 5, 5),
        ],
    ),
    shape(
        "age identity",
        &["AGE-SECRET-KEY-1"],
        &[Run(Bech32, 58, 58)],
    ),
    shape(
        "age identity",
        &["AGE-SECRET-KEY-PQ-1"],
        &[Run(Bech32, 58, 120)],
    ),
    shape(
        "recovery code of a store",
        &[""],
        &[
            Run(Bech32, 4, 4),
            Lit("-"),
            Run(Bech32, 4, 4),
            Lit("-"),
            Run(Bech32, 4, 4),
            Lit("-"),
            Run(Bech32, 4, 4),
            Lit("-"),
            Run(Bech32, 4, 4),
            Lit("-"),
            Run(Bech32, 4, 4),
            Lit("-"),
            Run(Bech32, 4, 4),
            Lit("-"),
            Run(Bech32, 4, 4),
        ],
    ),
    // Monitoring.
    shape("Sentry token", &["sntrys_"], &[Run(Any, 60, 500)]),
    shape("Sentry token", &["sntryu_"], &[Run(Hex, 64, 64)]),
    shape(
        "Grafana token",
        &["glsa_"],
        &[Run(Alnum, 32, 32), Lit("_"), Run(AnyHex, 8, 8)],
    ),
    shape(
        "Grafana Cloud token",
        &["glc_"],
        &[Run(Base64, 32, 400), Pad],
    ),
    shape("New Relic key", &["NRAK-"], &[Run(Upper, 27, 27)]),
    shape("New Relic key", &["NRII-", "NRIQ-"], &[Run(Url, 24, 32)]),
    shape("LaunchDarkly key", &["sdk-", "api-"], &[Run(Uuid, 36, 36)]),
    shape(
        "Dynatrace token",
        &["dt0c01."],
        &[Run(Upper, 24, 24), Lit("."), Run(Upper, 64, 64)],
    ),
    shape("PostHog key", &["phx_"], &[Run(Word, 40, 60)]),
];
