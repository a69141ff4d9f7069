"""Corpus: dataset cards to manifests, subject-level splits, label subsets and audits."""
