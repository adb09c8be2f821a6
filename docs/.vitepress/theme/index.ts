import { useData } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import { h } from 'vue';

/** The default theme with polyseek's widget as its search. */
export default {
  extends: DefaultTheme,
  Layout: () => {
    const { theme } = useData();
    return h(DefaultTheme.Layout, null, {
      'nav-bar-content-before': () =>
        h('polyseek-search', { 'api-key': theme.value.apiKey, style: 'margin: 0 auto 0 24px' }),
    });
  },
};
