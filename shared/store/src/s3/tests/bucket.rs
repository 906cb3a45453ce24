//! Listings, removal, and the Region of a bucket.

use super::*;
use crate::{Bucket, Listed, Page};

fn listed(key: &str, size: u64) -> Listed {
    Listed { key: key.to_owned(), size }
}

#[tokio::test]
async fn a_listing_goes_on_where_it_was_cut() {
    let first = "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
        <NextContinuationToken>t/1</NextContinuationToken>\
        <Contents><Key>p/a+b%2B%01</Key><Size>3</Size></Contents>\
        <CommonPrefixes><Prefix>p/%C3%A9/</Prefix></CommonPrefixes></ListBucketResult>";
    let second = "<ListBucketResult><IsTruncated>false</IsTruncated>\
        <Contents><Key>p/z+%2B</Key><Size>0</Size></Contents></ListBucketResult>";
    let (store, given) = server([first, second].map(|body| says("200 OK", body)).into()).await;
    let page = store.list("p/", None, true).await.unwrap();
    assert_eq!(page.objects, [listed("p/a b+\u{1}", 3)]);
    assert_eq!((page.folders, page.next.as_deref()), (vec!["p/é/".to_owned()], Some("t/1")));
    let page = store.list("p/", page.next.as_deref(), false).await.unwrap();
    assert_eq!(page, Page { objects: vec![listed("p/z+%2B", 0)], ..Page::default() });
    let requests = given.await.unwrap();
    for part in ["prefix=p%2F", "delimiter=%2F", "encoding-type=url"] {
        assert!(requests[0].contains(part), "{}", requests[0]);
    }
    assert!(requests[1].contains("continuation-token=t%2F1") && !requests[1].contains("delimiter"));
}

#[tokio::test]
async fn a_listing_that_cannot_be_believed_is_an_error() {
    for (body, says_so) in [
        ("<IsTruncated>true</IsTruncated>", "a listing that goes on, but does not say where"),
        ("<Contents><Key>a</Key></Contents>", "listed an object without a size"),
        (
            "<EncodingType>url</EncodingType><Contents><Key>%FF</Key><Size>1</Size></Contents>",
            "listed a name that does not decode: \"%FF\"",
        ),
    ] {
        let body = format!("<ListBucketResult>{body}</ListBucketResult>");
        let (store, _given) = server(vec![says("200 OK", &body)]).await;
        let error = store.list("p/", None, false).await.unwrap_err();
        assert_eq!(error.to_string(), format!("s3://bucket/p/: {says_so}"));
    }
}

#[tokio::test]
async fn keys_that_s3_is_too_busy_to_delete_are_asked_for_again() {
    let error = |key, code| format!("<Error><Key>{key}</Key><Code>{code}</Code></Error>");
    let result =
        |errors: &[String]| says("200 OK", &format!("<DeleteResult>{}</DeleteResult>", errors.concat()));
    let first = result(&[error("a", "SlowDown"), error("b", "AccessDenied"), error("c", "InternalError")]);
    let (store, given) = server(vec![first, result(&[error("c", "InternalError")]), result(&[])]).await;
    let error = store.delete(&["a", "b", "c", "d"].map(str::to_owned)).await.unwrap_err();
    assert_eq!(error.to_string(), "s3://bucket/b: not deleted: access denied (AccessDenied)");
    assert_eq!(store.retries(), Retries { made: 2, throttled: 1 });
    let keys = given.await.unwrap().into_iter().map(|request| {
        let named = |key: &&str| request.contains(&format!("<Key>{key}</Key>"));
        ["a", "b", "c", "d"].into_iter().filter(named).collect::<String>()
    });
    assert_eq!(keys.collect::<Vec<_>>(), ["abcd", "ac", "c"]);
}

#[tokio::test]
async fn a_bucket_says_whether_it_keeps_versions() {
    for (status, keeps) in
        [("", false), ("<Status>Enabled</Status>", true), ("<Status>Suspended</Status>", true)]
    {
        let body = format!("<VersioningConfiguration>{status}</VersioningConfiguration>");
        let (store, given) = server(vec![says("200 OK", &body)]).await;
        assert_eq!(store.keeps_versions().await.unwrap(), keeps, "{status}");
        assert!(given.await.unwrap()[0].starts_with("GET /bucket/?versioning"));
    }
    let denied = "<Error><Code>AccessDenied</Code><Message>No.</Message></Error>";
    let (store, _given) = server(vec![says("403 Forbidden", denied)]).await;
    let error = store.keeps_versions().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Denied);
    assert_eq!(
        error.to_string(),
        "s3://bucket/: access denied (AccessDenied: No): to see whether the bucket keeps versions, \
         allow s3:GetBucketVersioning on arn:aws:s3:::bucket"
    );
}

#[tokio::test]
async fn what_cannot_be_deleted_is_named_and_counted() {
    let error =
        |key, code| format!("<Error><Key>{key}</Key><Code>{code}</Code><Message>No.</Message></Error>");
    let body = [error("a", "NoSuchKey"), error("b", "AccessDenied"), error("c", "AccessDenied")].concat();
    let first = format!("<DeleteResult>{body}</DeleteResult>");
    let second = format!("<DeleteResult>{}</DeleteResult>", error("1000", "AccessDenied"));
    let (store, given) = server([first, second].map(|body| says("200 OK", &body)).into()).await;
    let keys: Vec<_> = (0..1001).map(|n| n.to_string()).collect();
    let error = store.delete(&keys).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Denied);
    assert_eq!(
        error.to_string(),
        "s3://bucket/b: not deleted (nor were 2 others): access denied (AccessDenied: No)"
    );
    let requests = given.await.unwrap();
    assert_eq!(requests[0].matches("<Key>").count(), 1000);
    assert!(requests[1].contains("<Key>1000</Key>") && requests[1].contains("<Quiet>true</Quiet>"));
}

#[tokio::test]
async fn keys_that_xml_cannot_hold_are_deleted_one_by_one() {
    let many = "<DeleteResult></DeleteResult>";
    let (store, given) = server(vec![says("204 No Content", ""), says("200 OK", many)]).await;
    store.delete(&["a\n".to_owned(), "a\u{1}".to_owned(), "b".to_owned()]).await.unwrap();
    let requests = given.await.unwrap();
    assert!(requests[0].starts_with("DELETE /bucket/a%01"), "{}", requests[0]);
    assert_eq!(requests[1].matches("<Key>").count(), 2);
}

#[tokio::test]
async fn open_uploads_are_listed_page_by_page() {
    let first = "<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
        <NextKeyMarker>p/%2B</NextKeyMarker><NextUploadIdMarker>2</NextUploadIdMarker>\
        <Upload><Key>p/%2B</Key><UploadId>2</UploadId></Upload></ListMultipartUploadsResult>";
    let second = "<ListMultipartUploadsResult><Upload><Key>p/+</Key><UploadId>1</UploadId></Upload>\
        </ListMultipartUploadsResult>";
    let (store, given) = server([first, second].map(|body| says("200 OK", body)).into()).await;
    let uploads = store.uploads("p/").await.unwrap();
    assert_eq!(uploads, [("1", "p/+"), ("2", "p/+")].map(|(id, key)| (key.to_owned(), id.to_owned())));
    let requests = given.await.unwrap();
    assert!(requests[1].contains("key-marker=p%2F%2B") && requests[1].contains("upload-id-marker=2"));
}

#[tokio::test]
async fn a_bucket_says_where_it_is_whatever_else_it_says() {
    let header = "x-amz-bucket-region: eu-west-1\r\n";
    for status in ["200 OK", "301 Moved Permanently", "400 Bad Request", "403 Forbidden"] {
        let (store, given) = server(vec![answer(status, header, 0, "")]).await;
        assert_eq!(region::region(&store).await.unwrap().as_deref(), Some("eu-west-1"), "{status}");
        assert!(given.await.unwrap()[0].starts_with("HEAD /bucket"));
    }
    let (store, _given) = server(vec![says("200 OK", "")]).await;
    assert_eq!(region::region(&store).await.unwrap(), None);
    let (store, _given) = server(vec![says("404 Not Found", "")]).await;
    let error = region::region(&store).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NotFound);
    assert_eq!(error.to_string(), "s3://bucket/: the bucket does not exist");
    let (store, _given) = server(vec![says("403 Forbidden", "")]).await;
    assert_eq!(region::region(&store).await.unwrap_err().kind(), StoreErrorKind::Denied);
}

#[tokio::test]
async fn an_endpoint_of_its_own_is_not_asked() {
    let config = test_config("http://127.0.0.1:9");
    let same = in_region_of(&config, "bucket").await.unwrap();
    assert_eq!(same.region(), config.region());
}
