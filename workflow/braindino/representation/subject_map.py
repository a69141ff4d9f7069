"""A map of all volumes' features, and how well they betray the site of their scan."""

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.manifold import TSNE
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

LEAKAGE = ["encoder", "cohort", "modality", "sites", "n", "accuracy", "chance"]
COMPONENTS = 50  # assumed: what t-SNE is given; van der Maaten and Hinton took 30
PERPLEXITY = 30
FOLDS = 5
MOST = 5000  # assumed: volumes on a map; t-SNE of more takes long, and shows no more


def describe(manifests, volumes):
    """Return what is known of some volumes: a row each, in their order.

    Parameters
    ----------
    manifests : DataFrame
        All manifests.
    volumes : list of str

    Returns
    -------
    DataFrame
        volume_id, dataset, subject, modality, age and site; the site of a cohort that does not
        state one is the cohort.
    """
    columns = ["volume_id", "dataset", "subject", "modality", "age", "site"]
    known = manifests.reindex(columns=columns).set_index("volume_id").loc[volumes].reset_index()
    stated = known["site"].notna() & (known["site"].astype(str) != "")
    site = (known["dataset"] + " " + known["site"].astype(str)).where(stated, known["dataset"])
    return known.assign(site=site, subject=known["dataset"] + "/" + known["subject"].astype(str))


def flatten(features, seed):
    """Lay features [n, dim] out in the plane: standardised, 50 principal components, t-SNE.

    Returns
    -------
    ndarray [n, 2]
        Neighbours stay neighbours; distances between far points mean nothing.
    """
    n, dim = features.shape
    scaled = StandardScaler().fit_transform(features.astype(np.float64))
    kept = PCA(min(COMPONENTS, n - 1, dim), svd_solver="full").fit_transform(scaled)
    if n < 5:
        return np.pad(kept, ((0, 0), (0, 2)))[:, :2]
    perplexity = min(PERPLEXITY, (n - 1) / 3)
    return TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(kept)


def site_leakage(features, known, encoder, least, seed):
    """Measure how well a linear discriminant tells the site of a scan from its features.

    Parameters
    ----------
    features : ndarray [n, dim]
    known : DataFrame
        As `describe` returns it.
    encoder : str
    least : int
        Subjects that a site needs to take part.
    seed : int

    Returns
    -------
    DataFrame
        A row a cohort of several sites and contrast, and one, cohort 'all', of which cohort a
        volume is from: balanced accuracy of held-out subjects, five folds, and that of guessing.
        What the sites' people differ in by age or disease counts as leakage, too.
    """
    rows = []
    for modality, part in known.groupby("modality"):
        groups = {"all": part["dataset"]}
        groups |= {name: own["site"] for name, own in part.groupby("dataset")}
        for cohort, labels in groups.items():
            subjects = known.loc[labels.index, "subject"]
            held = subjects.groupby(labels).transform("nunique") >= least
            labels, subjects = labels[held], subjects[held]
            if (sites := len(set(labels))) > 1:
                places = known.index.get_indexer(labels.index)
                accuracy = _held_out(features[places], labels, subjects, seed)
                found = encoder, cohort, modality, sites, len(labels), accuracy, 1 / sites
                rows.append(found)
    return pd.DataFrame(rows, columns=LEAKAGE)


def _held_out(features, labels, subjects, seed):
    sites = len(set(labels))
    # Its shrinkage follows from the data (Ledoit and Wolf 2004), so nothing is tuned.
    analysis = LinearDiscriminantAnalysis("lsqr", "auto", priors=np.full(sites, 1 / sites))
    model = make_pipeline(StandardScaler(), analysis)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    predicted = cross_val_predict(model, features, labels, groups=subjects, cv=folds)
    return float(balanced_accuracy_score(labels, predicted))
