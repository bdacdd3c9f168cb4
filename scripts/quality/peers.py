"""Peers' side of `npm run quality`: makes the splits of the tables, measures scikit-learn on them, and turns the text corpora into files.
Usage: peers.py tables OUT DATA SPLITS [NAME ...] | texts OUT DATA
Tables: seeded 80/20 splits (stratified for classes). Preprocessing as usual: median or most frequent value for missing ones,
standard scaling, one-hot; regression targets standardised; models at scikit-learn's defaults."""
import json
import sys
import tarfile
import warnings
from pathlib import Path

warnings.filterwarnings('ignore')


def tables(data):
    import pandas as pd
    folder = data / 'tabular'

    def headless(name, target, **options):
        frame = pd.read_csv(folder / name, header=None, **options)
        frame.columns = [f'c{i}' for i in range(frame.shape[1])]
        return frame, f'c{target if target >= 0 else frame.shape[1] + target}'

    red, white = (pd.read_csv(folder / f'winequality-{colour}.csv', header=None) for colour in ('red', 'white'))
    red['colour'], white['colour'] = 'red', 'white'
    quality = pd.concat([red, white], ignore_index=True)
    quality.columns = [f'c{c}' if c != 'colour' else c for c in quality.columns]
    hitters = pd.read_csv(folder / 'hitters.csv')
    return {
        'titanic': (pd.read_csv(folder / 'titanic-train.csv'), 'Survived', 'accuracy'),
        'german-credit': (*headless('german.csv', -1), 'accuracy'),
        'breast-cancer': (*headless('breast-cancer-wisconsin.csv', -1, na_values='?'), 'accuracy'),
        'wine': (*headless('wine.csv', -1), 'accuracy'),
        'wine-quality': (quality, 'c11', 'rmse'),
        'pima-diabetes': (*headless('pima-indians-diabetes.csv', -1), 'accuracy'),
        'iris': (*headless('iris.csv', -1), 'accuracy'),
        'hitters': (hitters[hitters.Salary.notna()].reset_index(drop=True), 'Salary', 'rmse'),
    }


def measure(train, test, target, metric, seed):
    import numpy as np
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
    from sklearn.ensemble import (HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier,
                                  RandomForestRegressor)
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from sklearn.svm import SVC, SVR
    x, y, x_test, y_test = train.drop(columns=[target]), train[target], test.drop(columns=[target]), test[target]
    numeric = [c for c in x if x[c].dtype.kind in 'if']
    # A column of names or tickets, nearly all different, is nothing that one-hot encoding can use.
    category = [c for c in x if c not in numeric and x[c].nunique() < 0.5 * len(x)]
    if metric == 'accuracy':
        models = {'linear': LogisticRegression(max_iter=1000), 'random forest': RandomForestClassifier(random_state=seed),
                  'boosting': HistGradientBoostingClassifier(random_state=seed), 'svm': SVC(), 'mlp': MLPClassifier(random_state=seed)}
    else:
        models = {'linear': Ridge(), 'random forest': RandomForestRegressor(random_state=seed),
                  'boosting': HistGradientBoostingRegressor(random_state=seed), 'svm': SVR(), 'mlp': MLPRegressor(random_state=seed)}
        models = {k: TransformedTargetRegressor(m, transformer=StandardScaler()) for k, m in models.items()}
    scores = {}
    for name, model in models.items():
        steps = ColumnTransformer([
            ('n', make_pipeline(SimpleImputer(strategy='median'), StandardScaler()), numeric),
            ('c', make_pipeline(SimpleImputer(strategy='most_frequent'), OneHotEncoder(handle_unknown='ignore', sparse_output=False)), category)])
        predicted = make_pipeline(steps, model).fit(x, y).predict(x_test)
        scores[name] = float((predicted == y_test).mean() if metric == 'accuracy' else np.sqrt(np.mean((predicted - y_test) ** 2)))
    return scores


def make_tables(out, data, splits, names):
    from sklearn.model_selection import train_test_split
    kept = out / 'tables.json'
    # Splits and peers depend on nothing that changes here: what an earlier run measured is kept.
    result = json.loads(kept.read_text()) if kept.exists() else []
    done = {(each['name'], each['seed']) for each in result}
    for name, (frame, target, metric) in tables(data).items():
        if names and name not in names:
            continue
        for seed in range(splits):
            if (name, seed) in done:
                continue
            train, test = train_test_split(frame, test_size=0.2, random_state=seed, stratify=frame[target] if metric == 'accuracy' else None)
            if name == 'wine-quality':  # a row that stands in the training part too is no test
                known = set(map(tuple, train.drop(columns=[target]).values.tolist()))
                test = test[[tuple(row) not in known for row in test.drop(columns=[target]).values.tolist()]]
            folder = out / name / str(seed)
            folder.mkdir(parents=True, exist_ok=True)
            train.to_csv(folder / 'train.csv', index=False)
            test.to_csv(folder / 'test.csv', index=False)
            result.append({'name': name, 'seed': seed, 'target': target, 'metric': metric, 'train': str(folder / 'train.csv'),
                           'test': str(folder / 'test.csv'), 'peers': measure(train, test, target, metric, seed)})
            kept.write_text(json.dumps(result))
            print(f'{name} {seed}', file=sys.stderr)


def make_texts(out, data):
    import csv

    def write(name, rows):
        with open(out / name, 'w', newline='', encoding='utf-8') as file:
            writer = csv.writer(file)
            writer.writerow(['text', 'label'])
            writer.writerows(rows)

    out.mkdir(parents=True, exist_ok=True)
    for part in ('train', 'test'):
        lines = (data / 'trec' / f'TREC.{part}').read_text(encoding='latin-1').split('\n')
        write(f'trec-{part}.csv', [(line.split(' ', 1)[1], line.split(':', 1)[0]) for line in lines if ' ' in line])
    rows = []
    for label in ('neg', 'pos'):
        text = (data / 'rt-polarity' / f'rt-polarity.{label}').read_bytes().decode('cp1252', 'replace')
        rows += [(line, label) for line in text.split('\n') if line.strip()]
    write('rt-polarity.csv', rows)
    with open(data / 'sms-spam' / 'sms.tsv', encoding='utf-8') as file:
        write('sms-spam.csv', [tuple(reversed(line.rstrip('\n').split('\t', 1))) for line in file if '\t' in line])
    if not (out / '20news-bydate-test').exists():
        with tarfile.open(data / '20news' / '20news-bydate.tar.bz2') as archive:
            archive.extractall(out, filter='data') if hasattr(tarfile, 'data_filter') else archive.extractall(out)


if __name__ == '__main__':
    kind, out, data = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if kind == 'tables':
        make_tables(out, data, int(sys.argv[4]), sys.argv[5:])
    else:
        make_texts(out, data)
