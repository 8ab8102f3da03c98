-- a store as promptkit wrote it before it noted places: four rows of `SUMS`
PRAGMA journal_mode = WAL;
BEGIN TRANSACTION;
CREATE TABLE completions (
    key BLOB PRIMARY KEY,
    identity TEXT NOT NULL,
    request TEXT NOT NULL,
    completion TEXT NOT NULL,
    made_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITHOUT ROWID
;
INSERT INTO "completions" VALUES(X'27249B1A3CA75AFBF25D34B3F048679B5C825F6DD4F25DFFD6218D7776893164','{"kind":"scripted","rules":"b9bec065579d6ef9aa69d0bdda603c901cab928176e659be227477d9738c54f9"}','{"prompt":"Q: 3 + 3?\nA:","sampling":{"max_new_tokens":256,"stop":[]}}','{"ended":"eos","log_likelihood":null,"num_new_tokens":3,"options":[],"text":" I cannot say.","thought":null,"token_ids":[]}','2026-11-26 12:00:00');
INSERT INTO "completions" VALUES(X'7A933F24E7ADBB5ED0EC8995BF2E09D1E789035B247695755646EA06C492AE3E','{"kind":"scripted","rules":"b9bec065579d6ef9aa69d0bdda603c901cab928176e659be227477d9738c54f9"}','{"prompt":"Q: 2 + 2?\nA:","sampling":{"max_new_tokens":256,"stop":[]}}','{"ended":"eos","log_likelihood":null,"num_new_tokens":4,"options":[],"text":" The answer is 5.","thought":null,"token_ids":[]}','2026-11-26 12:00:00');
INSERT INTO "completions" VALUES(X'81A094881529A8CCBB0E2A2D47F9A2B382722A973DCC994204578137B82F4C13','{"kind":"scripted","rules":"b9bec065579d6ef9aa69d0bdda603c901cab928176e659be227477d9738c54f9"}','{"prompt":"Q: 4 + 4?\nA:","sampling":{"max_new_tokens":256,"stop":[]}}','{"ended":"eos","log_likelihood":null,"num_new_tokens":0,"options":[],"text":"","thought":null,"token_ids":[]}','2026-11-26 12:00:00');
INSERT INTO "completions" VALUES(X'CE62638D472B72398598BF0E7C6B600AE6B488D8FE85C4688D12DD83FF659D27','{"kind":"scripted","rules":"b9bec065579d6ef9aa69d0bdda603c901cab928176e659be227477d9738c54f9"}','{"prompt":"Q: 1 + 1?\nA:","sampling":{"max_new_tokens":256,"stop":[]}}','{"ended":"eos","log_likelihood":null,"num_new_tokens":7,"options":[],"text":" That makes 2. The answer is 2.","thought":null,"token_ids":[]}','2026-11-26 12:00:00');
CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
COMMIT;
