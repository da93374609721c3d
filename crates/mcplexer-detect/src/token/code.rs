//! Tokens of code hosts, package registries and builders.

use crate::shape::Part::{Lit, Random, Run};
use crate::shape::Set::{Alnum, Any, AnyHex, Hex, Lower, Url, UrlDot, Word};
use crate::shape::{Shape, shape};

pub(super) const SHAPES: &[Shape] = &[
    // Code hosts.
    shape(
        "GitHub token",
        &["ghp_", "gho_", "ghu_", "ghr_"],
        &[Run(Alnum, 36, 255)],
    ),
    shape("GitHub token", &["ghs_"], &[Run(UrlDot, 36, 2000)]),
    shape("GitHub token", &["github_pat_"], &[Run(Word, 60, 255)]),
    shape("GitLab token", &["glpat-"], &[Run(UrlDot, 20, 320)]),
    shape("GitLab deploy token", &["gldt-"], &[Run(UrlDot, 20, 320)]),
    shape(
        "GitLab runner token",
        &["glrt-", "glrtr-"],
        &[Run(UrlDot, 20, 320)],
    ),
    shape("GitLab runner token", &["GR1348941"], &[Run(Url, 20, 20)]),
    shape("GitLab CI token", &["glcbt-"], &[Run(UrlDot, 20, 320)]),
    shape("GitLab trigger token", &["glptt-"], &[Run(Hex, 40, 40)]),
    shape("GitLab feed token", &["glft-"], &[Run(UrlDot, 20, 320)]),
    shape("GitLab mail token", &["glimt-"], &[Run(UrlDot, 20, 320)]),
    shape("GitLab agent token", &["glagent-"], &[Run(UrlDot, 40, 320)]),
    shape(
        "GitLab application secret",
        &["gloas-"],
        &[Run(Url, 64, 64)],
    ),
    shape("GitLab SCIM token", &["glsoat-"], &[Run(UrlDot, 20, 320)]),
    shape(
        "Bitbucket app password",
        &["ATBB"],
        &[Random(UrlDot, 24, 60)],
    ),
    shape("Bitbucket token", &["ATCTT3xFfG"], &[Run(UrlDot, 40, 400)]),
    shape("Atlassian token", &["ATATT3"], &[Run(UrlDot, 60, 400)]),
    shape("Atlassian admin key", &["ATCTT3"], &[Run(UrlDot, 60, 400)]),
    shape(
        "Bitbucket Data Center token",
        &["BBDC-"],
        &[Run(Any, 40, 50)],
    ),
    shape("Sourcegraph token", &["sgp_"], &[Run(Word, 40, 62)]),
    // Packages and builds.
    shape("npm token", &["npm_"], &[Run(Alnum, 36, 36)]),
    shape("PyPI token", &["pypi-"], &[Run(Url, 60, 1000)]),
    shape("crates.io token", &["cio"], &[Random(Alnum, 32, 32)]),
    shape("RubyGems key", &["rubygems_"], &[Run(Hex, 48, 48)]),
    shape("NuGet key", &["oy2"], &[Random(Lower, 43, 43)]),
    shape("JFrog key", &["AKCp"], &[Run(Alnum, 69, 69)]),
    shape("JFrog token", &["cmVmd"], &[Run(Alnum, 59, 59)]),
    shape(
        "Docker Hub token",
        &["dckr_pat_", "dckr_oat_"],
        &[Run(Url, 27, 36)],
    ),
    shape("Clojars token", &["CLOJARS_"], &[Run(Lower, 60, 60)]),
    shape("Buildkite token", &["bkua_"], &[Run(Lower, 40, 40)]),
    shape(
        "CircleCI token",
        &["CCIPAT_"],
        &[Run(Alnum, 22, 22), Lit("_"), Run(AnyHex, 40, 40)],
    ),
    shape(
        "SonarQube token",
        &["squ_", "sqp_", "sqa_"],
        &[Run(Hex, 40, 40)],
    ),
    shape(
        "Terraform Cloud token",
        &[""],
        &[Run(Alnum, 14, 14), Lit(".atlasv1."), Run(UrlDot, 60, 70)],
    ),
    shape("Pulumi token", &["pul-"], &[Run(Lower, 40, 40)]),
    shape("Prefect key", &["pnu_"], &[Run(Alnum, 36, 36)]),
];
