// Tells Numberpool what Google Ads knows of each click: campaign, ad group, keyword, match type, by gclid.
// Google Ads > Tools > Bulk actions > Scripts > +: paste this, authorise it, and let it run once a day.
// It reads click_view, one day at a time (developers.google.com/google-ads/api/fields/latest/click_view).

var ADDRESS = "@ADDRESS@";
var TOKEN = "@TOKEN@";
// Google counts some clicks later; a day that is sent again does no harm. At most 90 days back.
var DAYS = 3;
var ROWS_AT_ONCE = 2000;

function main() {
  if (typeof AdsManagerApp !== "undefined") {
    var accounts = AdsManagerApp.accounts().get();
    while (accounts.hasNext()) {
      AdsManagerApp.select(accounts.next());
      sendAccount();
    }
  } else {
    sendAccount();
  }
}

function sendAccount() {
  var zone = AdsApp.currentAccount().getTimeZone();
  for (var back = 1; back <= DAYS; back++) {
    var day = Utilities.formatDate(new Date(Date.now() - back * 86400000), zone, "yyyy-MM-dd");
    var found = AdsApp.search(
      "SELECT click_view.gclid, click_view.keyword_info.text, click_view.keyword_info.match_type, " +
        "campaign.name, ad_group.name, segments.date FROM click_view WHERE segments.date = '" + day + "'"
    );
    var rows = [];
    var sent = 0;
    while (found.hasNext()) {
      rows.push(found.next());
      if (rows.length === ROWS_AT_ONCE) {
        send(rows);
        sent += rows.length;
        rows = [];
      }
    }
    if (rows.length) {
      send(rows);
    }
    Logger.log(day + ": " + (sent + rows.length) + " clicks");
  }
}

function send(rows) {
  var answer = UrlFetchApp.fetch(ADDRESS, {
    method: "post",
    contentType: "application/json",
    headers: { Authorization: "Bearer " + TOKEN },
    payload: JSON.stringify({ results: rows }),
    muteHttpExceptions: true
  });
  if (answer.getResponseCode() !== 200) {
    throw new Error("Numberpool answered " + answer.getResponseCode() + ": " + answer.getContentText());
  }
  var refused = JSON.parse(answer.getContentText()).refused;
  if (refused.length) {
    Logger.log(refused.length + " rows were refused, the first: " + refused[0].message);
  }
}
